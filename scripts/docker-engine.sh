#!/bin/bash
# Makes a Docker engine answer on this machine: does nothing if one does, else starts dockerd in the background.
# Needs root to start one; installs the engine with apt-get where it is missing. Safe to run again at any time.
#
# DOCKER_HOST             socket to use; default unix:///var/run/docker.sock. Only unix sockets can be started.
# ORDEAL_ENGINE_ROOT      images, containers and volumes of the engine; default /var/lib/docker
# ORDEAL_ENGINE_LOG       log of dockerd; default /var/log/ordeal-dockerd.log
# ORDEAL_ENGINE_RUN       its pid files and the state of containerd; default /run/ordeal-docker
# ORDEAL_ENGINE_WAIT_S    how long a start may take, seconds; default 60
# Arguments are passed on to dockerd.
set -euo pipefail

host="${DOCKER_HOST:-unix:///var/run/docker.sock}"
data_root="${ORDEAL_ENGINE_ROOT:-/var/lib/docker}"
log="${ORDEAL_ENGINE_LOG:-/var/log/ordeal-dockerd.log}"
wait_s="${ORDEAL_ENGINE_WAIT_S:-60}"
exec_root="${ORDEAL_ENGINE_RUN:-/run/ordeal-docker}"
pid_file="$exec_root/docker.pid"
lock_file="$exec_root.lock"

say() { echo "docker-engine: $*" >&2; }
die() { say "$*"; exit 1; }

# Version of the server means that the daemon answered; `docker info` of old clients exits 0 without one.
engine_answers() { DOCKER_HOST="$host" timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

install_missing() {
  local missing=()
  command -v dockerd >/dev/null 2>&1 || missing+=(docker.io)
  command -v docker >/dev/null 2>&1 || missing+=(docker.io)
  command -v iptables >/dev/null 2>&1 || missing+=(iptables)
  command -v debootstrap >/dev/null 2>&1 || missing+=(debootstrap)
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 || die "missing: ${missing[*]}; install them and run this again"
  say "installing ${missing[*]}"
  # The package's own start of the service is refused: this script starts dockerd, with or without systemd.
  local policy=/usr/sbin/policy-rc.d made=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made=yes
  fi
  local status=0
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 || status=$?
  [ "$made" = yes ] && rm -f "$policy"
  [ $status -eq 0 ] || die "apt-get failed with status $status"
}

# True if the process in a pid file is alive and is what the file's owner claims: pids are reused after a crash, and a
# killed process whose parent does not wait for it stays behind as a zombie.
alive() {
  local pid
  pid="$(cat "$1" 2>/dev/null)" || return 1
  [[ "$pid" =~ ^[0-9]+$ ]] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || return 1
  ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$pid/status" 2>/dev/null
}

# Processes of containers outlive an engine that was killed; the next one calls those containers exited and knows nothing
# of the processes. Only those below this engine's own directory are ended.
end_orphans() {
  local shim child freezer
  for shim in $(pgrep -f "containerd-shim.* -address $exec_root/" || true); do
    for child in $(pgrep -P "$shim" || true); do
      # A frozen process would not even die.
      freezer="$(sed -n 's/^[0-9]*:freezer://p' "/proc/$child/cgroup" 2>/dev/null || true)"
      [ -z "$freezer" ] || echo THAWED 2>/dev/null >"/sys/fs/cgroup/freezer$freezer/freezer.state" || true
      freezer="$(sed -n 's/^0:://p' "/proc/$child/cgroup" 2>/dev/null || true)"
      [ ! -w "/sys/fs/cgroup$freezer/cgroup.freeze" ] || echo 0 >"/sys/fs/cgroup$freezer/cgroup.freeze" || true
      kill -KILL "$child" 2>/dev/null || true
    done
    kill -KILL "$shim" 2>/dev/null || true
  done
  rm -rf "$exec_root"/runtime-runc "$exec_root"/runtime-io.containerd.*
}

# What a killed engine left would keep the next one from starting, or make it adopt a socket that nobody serves.
clear_leftovers() {
  local socket="$1" file
  for file in "$pid_file" /var/run/docker.pid; do
    alive "$file" dockerd || rm -f "$file"
  done
  alive "$exec_root/containerd/containerd.pid" containerd || rm -rf "$exec_root/containerd"
  [ -S "$socket" ] && rm -f "$socket"
  [ -e "$exec_root/containerd/containerd.pid" ] || end_orphans
  # Overlay mounts of containers that died with the engine; a live containerd would still own its own.
  if [ ! -e "$exec_root/containerd/containerd.pid" ]; then
    local mount
    while read -r mount; do umount -l "$mount" 2>/dev/null || true; done \
      < <(awk -v root="$data_root/" 'index($2, root) == 1 {print $2}' /proc/mounts | sort -r)
  fi
}

start_engine() {
  local socket="${host#unix://}"
  mkdir -p "$data_root" "$exec_root" "$(dirname "$socket")" "$(dirname "$log")"
  local waited=0 started=""
  if alive "$pid_file" dockerd || alive /var/run/docker.pid dockerd; then
    say "a dockerd is running but does not answer yet: waiting for it"
  else
    clear_leftovers "$socket"
    say "starting dockerd: data in $data_root, log in $log"
    # A session of its own, no terminal and no inherited descriptors: it outlives whoever ran this script.
    setsid nohup dockerd --host "unix://$socket" --data-root "$data_root" --exec-root "$exec_root" \
      --pidfile "$pid_file" "$@" </dev/null >>"$log" 2>&1 9>&- &
    started=$!
    disown
  fi
  while [ $waited -lt "$wait_s" ]; do
    engine_answers && return 0
    # One that has ended will not answer, however long we wait.
    [ -z "$started" ] || kill -0 "$started" 2>/dev/null || return 1
    sleep 1
    waited=$((waited + 1))
  done
  return 1
}

if command -v docker >/dev/null 2>&1 && engine_answers; then
  say "an engine answers on $host"
  exit 0
fi
case "$host" in unix://*) ;; *) die "no engine answers on $host, and only unix:// sockets can be started here" ;; esac
[ "$(id -u)" = 0 ] || die "no engine answers on $host; starting one needs root: sudo $0"
# Two callers at once would start two engines on one data directory.
exec 9>"$lock_file"
flock -w "$((wait_s * 2))" 9 || die "another run of this script has held $lock_file for $((wait_s * 2)) s"
install_missing
if engine_answers || start_engine "$@"; then
  say "an engine answers on $host: $(DOCKER_HOST="$host" docker version --format '{{.Server.Version}}'), storage $(DOCKER_HOST="$host" docker info --format '{{.Driver}}')"
  exit 0
fi
say "dockerd ended, or did not answer within $wait_s s; the end of $log:"
tail -n 20 "$log" >&2 || true
exit 1
