#!/bin/sh
# Gets what the tests use beside Python: a browser, DCMTK, rsyslog, Elasticsearch and HAPI FHIR; builds the compiled modules.
# What can't be had is named in one loud line and its tests are skipped; with CI=true that fails.
set -u
missing=""

have() { PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1; }

wanted=""
have chromium || wanted="$wanted chromium fonts-noto-core"
have storescu || wanted="$wanted dcmtk"
have rsyslogd || wanted="$wanted rsyslog"
have cc || wanted="$wanted gcc libc6-dev python3-dev"
[ -e /usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so ] || [ -e /usr/lib/rsyslog/omelasticsearch.so ] \
  || [ -e /usr/lib/aarch64-linux-gnu/rsyslog/omelasticsearch.so ] || wanted="$wanted rsyslog-elasticsearch"
[ -e /usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so ] || [ -e /usr/lib/rsyslog/lmnsd_ossl.so ] \
  || [ -e /usr/lib/aarch64-linux-gnu/rsyslog/lmnsd_ossl.so ] || wanted="$wanted rsyslog rsyslog-openssl"
if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && have apt-get; then
  echo "Installing for the tests:$wanted"
  apt-get update -qq >/dev/null 2>&1
  # shellcheck disable=SC2086 - a list of package names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1
fi
for program in chromium storescu rsyslogd go openssl; do
  have "$program" || missing="$missing $program"
done

if have mvn && have java; then
  .venv/bin/python -m tests.elasticsearch_server || missing="$missing elasticsearch"
  .venv/bin/python -m tests.hapi.java || missing="$missing hapi-fhir"
else
  missing="$missing elasticsearch(java,mvn) hapi-fhir(java,mvn)"
fi

if have cc; then
  sh tests/compiled.sh .venv .cache/compiled || missing="$missing compiled-modules(python3-dev)"
else
  missing="$missing compiled-modules(cc)"
fi

# Elastic's own list of ECS fields, Apache-2.0; nothing of it goes into the product.
ecs=.cache/ecs
if [ ! -s "$ecs/8.11.5.json" ] && have npm && have node; then
  mkdir -p "$ecs"
  npm install --prefix "$ecs" --no-save --ignore-scripts --no-audit --no-fund --silent \
    @elastic/ecs@8.11.5 >/dev/null 2>&1 &&
    node -e 'process.stdout.write(JSON.stringify(require(process.argv[1]).EcsFlat))' \
      "$PWD/$ecs/node_modules/@elastic/ecs/generated/ecs_flat.js" >"$ecs/fields.part" 2>/dev/null &&
    mv "$ecs/fields.part" "$ecs/8.11.5.json"
fi
[ -s "$ecs/8.11.5.json" ] || missing="$missing ecs(npm,node)"

if [ -n "$missing" ]; then
  echo "!!! NOT TESTED HERE, because this machine lacks:$missing !!!" >&2
  [ "${CI:-}" = true ] && exit 1
fi
exit 0
