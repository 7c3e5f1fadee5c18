// ActiveMQ Artemis on 127.0.0.1, in memory, with MQTT only: the port is the argument.

import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;

public final class Artemis {
    public static void main(String[] args) throws Exception {
        Configuration configuration = new ConfigurationImpl()
                .setPersistenceEnabled(false)
                .setSecurityEnabled(false)
                .addAcceptorConfiguration("mqtt", "tcp://127.0.0.1:" + args[0] + "?protocols=MQTT");
        new EmbeddedActiveMQ().setConfiguration(configuration).start();
        System.out.println("serves on 127.0.0.1:" + args[0]);
    }
}
