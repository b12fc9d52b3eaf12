#!/bin/sh
# Make sure there is a Chromium and a Japanese font: the system's, else Debian's packages (as root), else Playwright's.
set -eu
bin=$1

found() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if ! found >/dev/null || ! fc-list :lang=ja 2>/dev/null | grep -q .; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq
		apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null
	fi
fi
found || "$bin/playwright" install chromium || {
	echo "No Chromium was found and none could be installed."
	[ "${CI:-}" = true ] && exit 1
	echo "The browser tests will be skipped."
}
