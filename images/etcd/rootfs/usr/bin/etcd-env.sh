#!/bin/sh
# etcd reads its settings from the ETCD_* variables of config.json. Those that were left empty at installation follow
# from the others here.
set -eu

: "${ETCD_ADVERTISE_CLIENT_URLS:=$ETCD_LISTEN_CLIENT_URLS}"
: "${ETCD_INITIAL_ADVERTISE_PEER_URLS:=$ETCD_LISTEN_PEER_URLS}"
: "${ETCD_INITIAL_CLUSTER:=$ETCD_NAME=$ETCD_INITIAL_ADVERTISE_PEER_URLS}"
export ETCD_ADVERTISE_CLIENT_URLS ETCD_INITIAL_ADVERTISE_PEER_URLS ETCD_INITIAL_CLUSTER

exec /usr/bin/etcd
