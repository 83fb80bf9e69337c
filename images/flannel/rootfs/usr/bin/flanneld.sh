#!/bin/sh
# Plays the part of flanneld: reads the network of the cluster from etcd, reports it, and stays. Ends with an error
# when etcd has no answer yet; systemd starts it again.
#
#   ETCD_ENDPOINTS       where etcd answers, URLs separated by commas
#   FLANNEL_ETCD_PREFIX  the key PREFIX/config holds the network: {"Network": "10.5.0.0/16"}
set -eu

readonly key=$FLANNEL_ETCD_PREFIX/config
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=$ETCD_ENDPOINTS

config=$(etcdctl get --print-value-only "$key" 2>&1) || {
  echo "flannel: no answer from etcd at $ETCD_ENDPOINTS" >&2
  exit 1
}
network=$(echo "$config" | sed -n 's/.*"Network" *: *"\([0-9./]*\)".*/\1/p')
if [ -z "$network" ]; then
  echo "flannel: no network in $key at $ETCD_ENDPOINTS" >&2
  exit 1
fi

echo "FLANNEL_NETWORK=$network" >/run/flannel/subnet.env.new
mv /run/flannel/subnet.env.new /run/flannel/subnet.env
echo "flannel: network $network, read from $key at $ETCD_ENDPOINTS"

# The first process of a container gets no default action for signals.
trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait $!
done
