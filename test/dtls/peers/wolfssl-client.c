/* A DTLS client of wolfSSL for the tests: one handshake, one message, its echo, close_notify.
   Arguments: port, suite, and either `psk` identity hexkey, or `cert` ca certificate key. Prints the echo. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *identity, *hex;

static unsigned int give_psk(WOLFSSL *ssl, const char *hint, char *name, unsigned int most_name, unsigned char *key,
                             unsigned int most_key) {
  unsigned int length = (unsigned int)strlen(hex) / 2, octet;
  (void)ssl;
  (void)hint;
  if (length > most_key) return 0;
  snprintf(name, most_name, "%s", identity);
  for (unsigned int at = 0; at < length; at++) {
    sscanf(hex + 2 * at, "%2x", &octet);
    key[at] = (unsigned char)octet;
  }
  return length;
}

static int failed(const char *what, WOLFSSL *ssl, int code) {
  fprintf(stderr, "%s: %d\n", what, wolfSSL_get_error(ssl, code));
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  wolfSSL_Init();
  WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfDTLSv1_2_client_method());
  if (wolfSSL_CTX_set_cipher_list(context, argv[2]) != WOLFSSL_SUCCESS) return 3;
  if (strcmp(argv[3], "psk") == 0) {
    identity = argv[4];
    hex = argv[5];
    wolfSSL_CTX_set_psk_client_callback(context, give_psk);
  } else {
    if (argc < 7) return 2;
    wolfSSL_CTX_load_verify_locations(context, argv[4], NULL);
    wolfSSL_CTX_use_certificate_chain_file(context, argv[5]);
    wolfSSL_CTX_use_PrivateKey_file(context, argv[6], WOLFSSL_FILETYPE_PEM);
  }
  WOLFSSL *ssl = wolfSSL_new(context);
  struct sockaddr_in to = {0};
  to.sin_family = AF_INET;
  to.sin_port = htons((unsigned short)atoi(argv[1]));
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
  wolfSSL_dtls_set_peer(ssl, &to, sizeof to);
  wolfSSL_set_fd(ssl, socket_);
  int code = wolfSSL_connect(ssl);
  if (code != WOLFSSL_SUCCESS) return failed("handshake", ssl, code);
  const char *said = "hello of wolfssl";
  code = wolfSSL_write(ssl, said, (int)strlen(said));
  if (code < 0) return failed("write", ssl, code);
  char echo[100];
  code = wolfSSL_read(ssl, echo, sizeof echo);
  if (code < 0) return failed("read", ssl, code);
  printf("%.*s\n", code, echo);
  wolfSSL_shutdown(ssl);
  return 0;
}
