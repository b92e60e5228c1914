#!/bin/sh
# Holds the pod's namespace for as long as the container lives. The data volume is made here, as root, but the broker's
# image may run as a user of its own choosing: whoever owns the directory may open it to all, without any capability.
chmod 0777 /var/lib/kafka/data 2>/dev/null || true
# As process 1 the shell would ignore SIGTERM; sleep in its place and a trap keep `docker stop` quick.
trap 'exit 0' TERM INT
sleep infinity &
wait $!
