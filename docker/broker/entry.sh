#!/bin/bash
# Writes the configuration from the environment, formats the data directory on the first start, and becomes the broker.
set -euo pipefail

kafka=/opt/kafka
conf="$kafka/config"
classpath="$(printf '%s:' "$kafka"/libs/*.jar)"
classpath="${classpath%:}"

# Kafka 4.x reads log4j 2's YAML, 3.x reload4j's properties; the wrapper writes whichever its version knows.
logging() {
  if [ -e "$conf/log4j2.yaml" ]; then
    echo "-Dlog4j2.configurationFile=$conf/log4j2.yaml"
  else
    echo "-Dlog4j.configuration=file:$conf/log4j.properties"
  fi
}

# A restart of the same container has the same environment and the same data: its files are still right, and not
# starting a second JVM to find that out saves some seconds of processor time in the middle of a test.
if [ ! -e "$conf/.written" ]; then
  mkdir -p "$conf" /mnt/shared/config
  cp /etc/kafka/docker/log4j* /etc/kafka/docker/tools-log4j* "$conf/"
  case "${KAFKA_VERSION:-4}" in
    [0-3].*) rm -f "$conf"/*.yaml ;;
    *) rm -f "$conf"/*log4j.properties ;;
  esac
  java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:SharedArchiveFile="$kafka/storage.jsa" -Xshare:auto \
    -Xlog:disable -cp "$classpath" \
    kafka.docker.KafkaDockerWrapper setup -D /etc/kafka/docker -M /mnt/shared/config -F "$conf"
  touch "$conf/.written"
fi

# The options are lists of words, as in Kafka's own scripts: they are split on purpose.
# shellcheck disable=SC2046,SC2086
exec java ${KAFKA_HEAP_OPTS:--Xms384m -Xmx384m} \
  ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true} \
  -XX:+ExitOnOutOfMemoryError -XX:SharedArchiveFile="$kafka/kafka.jsa" -Xshare:auto -Xlog:disable -Xlog:all=error:stderr \
  $(logging) ${KAFKA_OPTS:-} -cp "$classpath" kafka.Kafka "$conf/server.properties"
