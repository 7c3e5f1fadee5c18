#!/usr/bin/env bash
# Starts Eclipse Paho's MQTT-SN gateway for the benchmark: npm run bench -- --against 'bash lab/rivals/paho.sh {port} {broker-port} {folder}'
# PAHO_GATEWAY names its program, built for UDP (`build.sh udp` in its MQTTSNGateway folder, with -O2).
set -euo pipefail
port=$1 broker=$2 folder=$3
[ -x "${PAHO_GATEWAY:-}" ] || { echo 'PAHO_GATEWAY must name the program MQTT-SNGateway of Eclipse Paho' >&2; exit 2; }
cat > "$folder/gateway.conf" <<CONF
BrokerName=127.0.0.1
BrokerPortNo=$broker
BrokerSecurePortNo=8883
ClientAuthentication=NO
AggregatingGateway=NO
QoS-1=NO
Forwarder=NO
PredefinedTopic=NO
GatewayID=1
GatewayName=bench
MaxNumberOfClients=6000
KeepAlive=60
GatewayPortNo=$port
MulticastIP=225.1.1.1
MulticastPortNo=$((port + 1))
MulticastTTL=1
GatewayIPv6PortNo=0
ShearedMemory=NO
CONF
cd "$folder"
exec "$PAHO_GATEWAY" -f "$folder/gateway.conf" > /dev/null
