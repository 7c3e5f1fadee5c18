// A DTLS peer of Eclipse Californium (Scandium) for the tests, with connection ids in both directions.
//
//   Scandium client PORT SUITE psk IDENTITY HEXKEY | cert CA CERTIFICATE KEY
//       each line of its input is a message; prints what comes back; says goodbye at the end of its input
//   Scandium server PORT IDENTITY HEXKEY CA CERTIFICATE KEY
//       every suite, keys and certificates; echoes until it is ended

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.SequenceInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.elements.AddressEndpointContext;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.MessageCallback;
import org.eclipse.californium.elements.RawData;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedSinglePskStore;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticNewAdvancedCertificateVerifier;

public class Scandium {
  static final String[] SUITES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256",
    "TLS_PSK_WITH_AES_128_CCM", "TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_AES_128_CCM_8",
  };

  public static void main(String[] args) throws Exception {
    DtlsConfig.register();
    boolean isServer = args[0].equals("server");
    InetSocketAddress there = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), Integer.parseInt(args[1]));
    DtlsConnectorConfig.Builder builder = DtlsConnectorConfig.builder(Configuration.createStandardWithoutFile());
    builder.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false);
    builder.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, 5);
    builder.set(DtlsConfig.DTLS_VERIFY_SERVER_CERTIFICATES_SUBJECT, false);
    builder.set(DtlsConfig.DTLS_RETRANSMISSION_TIMEOUT, 400, TimeUnit.MILLISECONDS);
    builder.set(DtlsConfig.DTLS_MAX_TRANSMISSION_UNIT, 400);
    builder.set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1);
    builder.set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1);
    builder.set(DtlsConfig.DTLS_ROLE, isServer ? DtlsConfig.DtlsRole.SERVER_ONLY : DtlsConfig.DtlsRole.CLIENT_ONLY);
    builder.setAddress(isServer ? there : new InetSocketAddress(there.getAddress(), 0));
    builder.set(DtlsConfig.DTLS_CIPHER_SUITES, suites(isServer ? SUITES : new String[] {args[2]}));
    if (isServer) {
      useKey(builder, args[2], args[3]);
      useCertificates(builder, args[4], args[5], args[6]);
    } else if (args[3].equals("psk")) useKey(builder, args[4], args[5]);
    else useCertificates(builder, args[4], args[5], args[6]);

    DTLSConnector connector = new DTLSConnector(builder.build());
    connector.setRawDataReceiver(data -> {
      System.out.println(new String(data.getBytes(), StandardCharsets.UTF_8));
      if (isServer) connector.send(RawData.outbound(data.getBytes(), data.getEndpointContext(), null, false));
    });
    connector.start();
    if (isServer) {
      System.out.println("listening");
      Thread.sleep(Long.MAX_VALUE);
    }
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine())
      connector.send(RawData.outbound(line.getBytes(StandardCharsets.UTF_8), new AddressEndpointContext(there), OUTCOME, false));
    connector.close(there);
    Thread.sleep(300);
    connector.destroy();
    System.exit(0);
  }

  static List<CipherSuite> suites(String[] names) {
    List<CipherSuite> suites = new ArrayList<>();
    for (String name : names) suites.add(CipherSuite.getTypeByName(name));
    return suites;
  }

  static void useKey(DtlsConnectorConfig.Builder builder, String identity, String key) {
    builder.setAdvancedPskStore(new AdvancedSinglePskStore(identity, HexFormat.of().parseHex(key)));
  }

  static void useCertificates(DtlsConnectorConfig.Builder builder, String ca, String certificate, String key)
      throws Exception {
    SslContextUtil.Credentials own = SslContextUtil.loadPemCredentials(
        new SequenceInputStream(new FileInputStream(key), new FileInputStream(certificate)));
    builder.setCertificateIdentityProvider(
        new SingleCertificateProvider(own.getPrivateKey(), own.getCertificateChain(), CertificateType.X_509));
    builder.setAdvancedCertificateVerifier(StaticNewAdvancedCertificateVerifier.builder()
        .setTrustedCertificates(SslContextUtil.loadTrustedCertificates(ca)).build());
  }

  static final MessageCallback OUTCOME = new MessageCallback() {
    @Override public void onConnecting() {}
    @Override public void onDtlsRetransmission(int flight) {}
    @Override public void onContextEstablished(EndpointContext context) {}
    @Override public void onSent() {}
    @Override public void onError(Throwable error) {
      System.out.println("failed: " + error.getMessage());
    }
  };
}
