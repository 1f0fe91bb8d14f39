#!/usr/bin/env bash
# Starts a PostgreSQL of its own and three Chancery servers on it, all on loopback; Ctrl-C ends them and leaves nothing.
# `start.sh --once` shows that the three are one, and ends. Needs PostgreSQL (`apt-get install postgresql`) and curl.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
chancery=${CHANCERY:-$(ls "$here"/../../target/{release,debug}/chancery 2>/dev/null | head -1 || true)}
chancery=${chancery:-chancery}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
export PATH="${bin:+$bin:}$PATH"
port=${PGPORT:-55432}
unset PGPORT

place=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait; rm -rf "$place"' EXIT
trap 'exit 0' INT TERM

# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  chmod 711 "$place"
  install -d -o postgres "$place/pg"
  as=(setpriv --reuid=postgres --regid=postgres --init-groups)
else
  mkdir "$place/pg"
fi
"${as[@]}" initdb -D "$place/pg/data" -U chancery -A trust --no-locale -E UTF8 >"$place/pg.log"
"${as[@]}" postgres -D "$place/pg/data" -p "$port" -k "$place/pg" -c listen_addresses=127.0.0.1 >>"$place/pg.log" 2>&1 &
for _ in $(seq 100); do pg_isready -q -h 127.0.0.1 -p "$port" && break || sleep 0.2; done

# The first folder makes the store; the others get its settings and its master key, as other machines would.
"$chancery" --data "$place/1" init --store "postgres://chancery@127.0.0.1:$port/postgres"
for n in 2 3; do
  mkdir -m 700 "$place/$n"
  cp -p "$place/1/chancery.toml" "$place/1/master.key" "$place/$n/"
done
for n in 1 2 3; do
  "$chancery" --data "$place/$n" --quiet serve --runtime "127.0.0.1:808$n" --core "127.0.0.1:356$n" \
    --health "127.0.0.1:908$n" --studio off 2>"$place/$n/log" &
done
for n in 1 2 3; do
  for _ in $(seq 100); do curl -fs -o "$place/$n/health" "http://127.0.0.1:908$n/health/ready" && break || sleep 0.2; done
done

"$chancery" --data "$place/1" keys create orders --alg ES256
sleep 1
for n in 1 2 3; do
  echo "http://127.0.0.1:808$n/.well-known/jwks.json  $(curl -fs "http://127.0.0.1:808$n/.well-known/jwks.json" | cksum)"
done
[ "${1:-}" = --once ] && exit 0
echo "Ctrl-C ends them."
wait
