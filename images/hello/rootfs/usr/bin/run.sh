#!/bin/sh
# Answers every request on 127.0.0.1:$PORT with a greeting.
set -eu

mkdir -p /run/www
echo "Hello $RECEIVER" >/run/www/index.html
echo "$UUID" >/run/www/uuid

# The first process of a container gets no default action for signals.
trap 'exit 0' TERM INT
httpd -f -p "127.0.0.1:$PORT" -h /run/www &
echo "$NAME greets $RECEIVER on 127.0.0.1:$PORT"
wait $!
