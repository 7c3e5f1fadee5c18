/* A DTLS client of Mbed TLS for the tests: one handshake, one message, its echo, close_notify.
   Arguments: port, suite, and either `psk` identity hexkey, or `cert` ca certificate key. Prints the echo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/timing.h>
#include <mbedtls/x509_crt.h>

static int failed(const char *what, int code) {
  fprintf(stderr, "%s: -0x%04x\n", what, (unsigned)-code);
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  mbedtls_net_context net;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_timing_delay_context timer;
  mbedtls_x509_crt ca, own;
  mbedtls_pk_context key;
  mbedtls_net_init(&net);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&own);
  mbedtls_pk_init(&key);
  int code = mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
  if (code != 0) return failed("random", code);
  code = mbedtls_net_connect(&net, "127.0.0.1", argv[1], MBEDTLS_NET_PROTO_UDP);
  if (code != 0) return failed("connect", code);
  mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                              MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  mbedtls_ssl_conf_read_timeout(&config, 5000);
  mbedtls_ssl_conf_handshake_timeout(&config, 500, 4000);
  int suites[] = {mbedtls_ssl_get_ciphersuite_id(argv[2]), 0};
  if (suites[0] == 0) return 3;
  mbedtls_ssl_conf_ciphersuites(&config, suites);
  if (strcmp(argv[3], "psk") == 0) {
    unsigned char psk[64];
    size_t length = strlen(argv[5]) / 2;
    for (size_t at = 0; at < length; at++) {
      unsigned octet;
      sscanf(argv[5] + 2 * at, "%2x", &octet);
      psk[at] = (unsigned char)octet;
    }
    mbedtls_ssl_conf_psk(&config, psk, length, (const unsigned char *)argv[4], strlen(argv[4]));
  } else {
    if (argc < 7) return 2;
    mbedtls_x509_crt_parse_file(&ca, argv[4]);
    mbedtls_x509_crt_parse_file(&own, argv[5]);
    mbedtls_pk_parse_keyfile(&key, argv[6], NULL);
    mbedtls_ssl_conf_ca_chain(&config, &ca, NULL);
    mbedtls_ssl_conf_own_cert(&config, &own, &key);
  }
  code = mbedtls_ssl_setup(&ssl, &config);
  if (code != 0) return failed("setup", code);
  mbedtls_ssl_set_hostname(&ssl, "gateway.example");
  mbedtls_ssl_set_mtu(&ssl, 400);
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, mbedtls_net_recv_timeout);
  mbedtls_ssl_set_timer_cb(&ssl, &timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);
  while ((code = mbedtls_ssl_handshake(&ssl)) != 0)
    if (code != MBEDTLS_ERR_SSL_WANT_READ && code != MBEDTLS_ERR_SSL_WANT_WRITE) return failed("handshake", code);
  const char *said = "hello of mbedtls";
  code = mbedtls_ssl_write(&ssl, (const unsigned char *)said, strlen(said));
  if (code < 0) return failed("write", code);
  unsigned char echo[100];
  code = mbedtls_ssl_read(&ssl, echo, sizeof echo);
  if (code < 0) return failed("read", code);
  printf("%.*s\n", code, echo);
  mbedtls_ssl_close_notify(&ssl);
  return 0;
}
