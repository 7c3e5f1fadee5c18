#!/bin/sh
# A balancer in the kernel for several gateways (docs/cluster.md): nftables draws a node for each sensor from its address and port, this
# script keeps the table to those that are ready. Needs nft, conntrack, curl, and root or CAP_NET_ADMIN.
#
#   MQTTSN_ADDRESS=192.0.2.10 MQTTSN_NODES='192.0.2.11 192.0.2.12 192.0.2.13' sh balance.sh
#
# MQTTSN_ADDRESS is what sensors speak to, an address of this machine. Nodes listen on the same port. Their answers have to come back
# through this machine: it is their way to the sensors, or MQTTSN_MASQUERADE=yes, with which they see its address for all sensors.
set -eu

address=${MQTTSN_ADDRESS:?the address that sensors speak to}
nodes=${MQTTSN_NODES:?the addresses of the nodes}
port=${MQTTSN_PORT:-1884}
health_port=${MQTTSN_HEALTH_PORT:-8885}
# seconds between two questions, and for an answer
interval=${MQTTSN_INTERVAL:-2}
patience=${MQTTSN_PATIENCE:-2}
masquerade=${MQTTSN_MASQUERADE:-no}

answers=$(mktemp -d)
trap 'rm -rf "$answers"; nft delete table ip mqttsn' EXIT
trap 'exit 0' INT TERM

back=
[ "$masquerade" = yes ] && back="
  chain back {
    type nat hook postrouting priority srcnat
    ct original ip daddr $address udp dport $port masquerade
  }"

# Sensors on this machine come through output.
nft -f - <<RULES
table ip mqttsn
delete table ip mqttsn
table ip mqttsn {
  chain node { }
  chain sensors {
    type nat hook prerouting priority dstnat
    ip daddr $address udp dport $port jump node
  }
  chain own_sensors {
    type nat hook output priority -100
    ip daddr $address udp dport $port jump node
  }$back
}
RULES

# The nodes that say that they serve, in order, asked at the same time.
ready_nodes() {
  for node in $nodes; do
    rm -f "$answers/$node"
    {
      curl --silent --fail --max-time "$patience" --output /dev/null "http://$node:$health_port/health/ready" &&
        : > "$answers/$node"
    } &
  done
  wait
  for node in $nodes; do
    if [ -e "$answers/$node" ]; then echo "$node"; fi
  done
}

ready=
while :; do
  before=$ready
  now=$(ready_nodes)
  # If none is, nothing is better than what was.
  if [ -n "$now" ] && [ "$now" != "$before" ]; then
    ready=$now
    count=0
    table=
    for node in $ready; do
      table="$table${table:+, }$count : $node"
      count=$((count + 1))
    done
    nft -f - <<RULES
flush chain ip mqttsn node
add rule ip mqttsn node dnat to jhash ip saddr . udp sport mod $count seed 1 map { $table }
RULES
    echo "ready: $(echo $ready)"
    # The kernel keeps a sensor with its node for as long as it speaks, whatever the table says by now.
    for node in $nodes; do
      case "
$ready
" in
        *"
$node
"*) ;;
        *) conntrack -D -p udp --orig-dst "$address" --orig-port-dst "$port" --reply-src "$node" > /dev/null 2>&1 || : ;;
      esac
    done
  fi
  sleep "$interval" &
  wait $! || :
done
