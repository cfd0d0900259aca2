#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a browser, Chinese fonts,
# LibreOffice, gnumeric, openpyxl, PostgreSQL, poppler, two mail servers, strace, and the npm packages
# that serve as oracles. Where apt may not be used it says what is missing and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
have fc-list && fc-list :lang=zh | grep -q . || missing+=(fonts-noto-cjk fontconfig)
have soffice || have libreoffice || missing+=(libreoffice-calc-nogui)
have ssconvert || missing+=(gnumeric)
have python3 && { python3 -c 'import openpyxl' || /usr/bin/python3 -c 'import openpyxl'; } >/dev/null 2>&1 || missing+=(python3-openpyxl)
have pg_ctl || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || missing+=(postgresql)
have npm || missing+=(nodejs npm)
have pdftotext || missing+=(poppler-utils poppler-data)
have dovecot && [[ -e /usr/lib/dovecot/imap ]] || missing+=(dovecot-imapd)
have postfix || missing+=(postfix)
have openssl || missing+=(openssl)
have strace || missing+=(strace)
have gcc || missing+=(gcc libc6-dev) # the race detector needs cgo

if ((${#missing[@]})); then
  echo "setup: missing ${missing[*]}"
  if ! have apt-get; then
    echo "setup: no apt-get here; please install: ${missing[*]}" >&2
    exit 1
  fi
  sudo=()
  if ((EUID != 0)); then
    have sudo && sudo -n true 2>/dev/null || { echo "setup: please run as root: apt-get install ${missing[*]}" >&2; exit 1; }
    sudo=(sudo -n)
  fi
  # Debian's PostgreSQL package would start a server of its own; the tests start theirs.
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# The oracles, pinned by the lock file; only when they are not there yet.
stamp=tools/node/node_modules/.package-lock.json
if [[ ! -e $stamp || tools/node/package-lock.json -nt $stamp ]]; then
  npm ci --prefix tools/node --no-audit --no-fund --loglevel=error
  touch "$stamp"
fi
