#!/bin/bash
# At build time: runs the set-up wrapper and a broker of one node once each, and keeps archives of the classes that they
# loaded, for entry.sh. No archive only makes starts slower, so that is told and does not fail the build; a main class that
# is missing does.
set -uo pipefail

kafka=/opt/kafka
work="$(mktemp -d)"
trap 'rm -rf "$work" "$kafka/config"' EXIT
classpath="$(printf '%s:' "$kafka"/libs/*.jar)"
classpath="${classpath%:}"
flags=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true)
mkdir -p "$work/conf" "$work/mounted"
cp /etc/kafka/docker/* "$work/conf/"

# Without arguments both say how to use them and end.
for main in kafka.docker.KafkaDockerWrapper kafka.Kafka; do
  said="$(timeout 60 java "${flags[@]}" -cp "$classpath" "$main" 2>&1 </dev/null)"
  case "$said" in *"find or load main class"*)
    echo "archive-classes: $main is not among the jars in $kafka/libs" >&2
    exit 1
    ;;
  esac
done

export CLUSTER_ID=4L6g3nShT-eMCtK--X86sw KAFKA_LOG_DIRS="$work/data" KAFKA_NODE_ID=1
export KAFKA_PROCESS_ROLES=broker,controller KAFKA_CONTROLLER_QUORUM_VOTERS=1@127.0.0.1:9093
export KAFKA_LISTENERS=CLIENT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
export KAFKA_ADVERTISED_LISTENERS=CLIENT://127.0.0.1:9092 KAFKA_INTER_BROKER_LISTENER_NAME=CLIENT
export KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
export KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1
java "${flags[@]}" -XX:ArchiveClassesAtExit="$kafka/storage.jsa" -Xlog:disable -cp "$classpath" \
  kafka.docker.KafkaDockerWrapper setup -D /etc/kafka/docker -M "$work/mounted" -F "$work/conf" ||
  { echo "archive-classes: the set-up wrapper failed; going on without archives" >&2; exit 0; }

logging="-Dlog4j2.configurationFile=$work/conf/log4j2.yaml"
[ -e "$work/conf/log4j2.yaml" ] || logging="-Dlog4j.configuration=file:$work/conf/log4j.properties"
java "${flags[@]}" -XX:ArchiveClassesAtExit="$kafka/kafka.jsa" -Xlog:disable "$logging" -cp "$classpath" \
  kafka.Kafka "$work/conf/server.properties" >"$work/broker.log" 2>&1 &
broker=$!
for _ in $(seq 120); do
  grep -q 'Kafka Server started' "$work/broker.log" && break
  kill -0 "$broker" 2>/dev/null || break
  sleep 0.25
done
# Clean shutdown writes the archive.
kill -TERM "$broker" 2>/dev/null
wait "$broker"
[ -s "$kafka/kafka.jsa" ] || { echo "archive-classes: no archive was written" >&2; tail -n 20 "$work/broker.log" >&2; }
exit 0
