#!/usr/bin/env bash
# with-ime.sh CMD...: runs CMD on a virtual screen with a real Pinyin input method.
#
# Inside, DISPLAY is a screen of 1366 × 768 with a small window manager, and fcitx5
# types Pinyin into whatever window has the focus. Screen, message bus, home folder
# and input method are CMD's own and end with it; its exit code is returned. The
# user's dictionary lives in that home folder too, so no run learns from another.
#
# What is missing is installed where apt-get may be used; elsewhere it is named and
# the exit code is 3.
set -euo pipefail

if (($# == 0)); then
  echo "usage: $0 CMD..." >&2
  exit 2
fi

have() { command -v "$1" >/dev/null 2>&1; }

if [[ ${1-} != --inside ]]; then
  missing=()
  have fcitx5 || missing+=(fcitx5)
  compgen -G '/usr/lib/*/fcitx5/libpinyin.so' >/dev/null || compgen -G '/usr/lib/fcitx5/libpinyin.so' >/dev/null || missing+=(fcitx5-chinese-addons)
  compgen -G '/usr/lib/*/gtk-3.0/*/immodules/*fcitx5*.so' >/dev/null || compgen -G '/usr/lib/gtk-3.0/*/immodules/*fcitx5*.so' >/dev/null || missing+=(fcitx5-frontend-gtk3)
  have Xvfb || missing+=(xvfb)
  have xdotool || missing+=(xdotool)
  have openbox || missing+=(openbox)
  have dbus-run-session || missing+=(dbus-daemon)
  have import || missing+=(imagemagick)
  if ((${#missing[@]})); then
    echo "with-ime: missing ${missing[*]}" >&2
    have apt-get || exit 3
    sudo=()
    if ((EUID != 0)); then
      have sudo && sudo -n true 2>/dev/null || { echo "with-ime: please run as root: apt-get install ${missing[*]}" >&2; exit 3; }
      sudo=(sudo -n)
    fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  fi

  dir=$(mktemp -d "${TMPDIR:-/tmp}/tianbao-ime.XXXXXX")
  screen=
  stop() {
    [[ -z $screen ]] || kill "$screen" 2>/dev/null || true
    # A helper that is still ending may write once more.
    rm -rf "$dir" 2>/dev/null || { sleep 1; rm -rf "$dir"; }
  }
  trap stop EXIT

  # The server picks a free display and writes its number once it listens.
  mkfifo "$dir/display"
  Xvfb -displayfd 3 -screen 0 1366x768x24 -nolisten tcp 3>"$dir/display" 2>"$dir/screen.log" &
  screen=$!
  read -r number <"$dir/display"

  # Pinyin alone, on from the start; no cloud, no prediction: the list is the same every time.
  mkdir -p "$dir/config/fcitx5/conf" "$dir/data" "$dir/cache" "$dir/run"
  chmod 700 "$dir/run"
  cat >"$dir/config/fcitx5/profile" <<'END'
[Groups/0]
Name=Default
Default Layout=us
DefaultIM=pinyin

[Groups/0/Items/0]
Name=pinyin
Layout=

[GroupOrder]
0=Default
END
  cat >"$dir/config/fcitx5/config" <<'END'
[Hotkey/PrevCandidate]
0=Up

[Hotkey/NextCandidate]
0=Down

[Hotkey/PrevPage]
0=minus

[Hotkey/NextPage]
0=equal

[Behavior]
ActiveByDefault=True
ShareInputState=All
END
  printf 'CloudPinyinEnabled=False\nPrediction=False\nPageSize=7\n' >"$dir/config/fcitx5/conf/pinyin.conf"

  # What the tools of the caller need (Go's caches) is named before the home folder changes.
  if have go; then
    GOCACHE=$(go env GOCACHE) GOMODCACHE=$(go env GOMODCACHE) GOENV=$(go env GOENV)
    export GOCACHE GOMODCACHE GOENV
  fi
  env -u WAYLAND_DISPLAY -u DBUS_SESSION_BUS_ADDRESS \
    HOME="$dir" XDG_CONFIG_HOME="$dir/config" XDG_DATA_HOME="$dir/data" XDG_CACHE_HOME="$dir/cache" XDG_RUNTIME_DIR="$dir/run" \
    DISPLAY=":$number" LC_CTYPE=C.UTF-8 \
    GTK_IM_MODULE=fcitx QT_IM_MODULE=fcitx XMODIFIERS=@im=fcitx \
    dbus-run-session -- "$0" --inside "$@" 3>&2 2>"$dir/bus.log"
  exit
fi

# On the private bus, whose daemon has its own log.
exec 2>&3 3>&-
shift
openbox >"$HOME/openbox.log" 2>&1 &
wm=$!
fcitx5 --disable=cloudpinyin,clipboard,notifications,spell,quickphrase,unicode,wayland,kimpanel >"$HOME/fcitx5.log" 2>&1 &
ime=$!
trap 'kill "$ime" "$wm" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.fcitx.Fcitx5 2>/dev/null | grep -q true && ready=1 && break
  kill -0 "$ime" 2>/dev/null || break
  sleep 0.1
done
if [[ -z ${ready-} ]]; then
  echo "with-ime: the input method did not start:" >&2
  tail -20 "$HOME/fcitx5.log" >&2
  exit 3
fi
"$@"
