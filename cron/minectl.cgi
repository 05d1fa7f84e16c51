#!/bin/sh
# /usr/local/lib/minectl/minectl.cgi, mode 755: what fcgiwrap starts for each request of the debug page. A CGI program gets
# no arguments, so they stand here; the request itself comes in variables and on standard input.
exec /usr/local/bin/minectl --config /etc/minectl/config.txt cgi
