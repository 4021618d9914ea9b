#!/bin/sh
# Chromium's headless shell with a page: it opens none by itself, and the driver waits for one.
exec /usr/lib/chromium/chromium-headless-shell "$@" about:blank
