#!/usr/bin/env bash
# nuevo-remitente.sh LOGIN CLAVE.pub [INBOX [CLAVES]]: an account that can only drop files in inbox/LOGIN.
# Run as root. The service runs as group `pisis`; senders are in `pisis-remitentes` and have no shell.
set -euo pipefail
login=$1 key=$2 inbox=${3:-/srv/pisis/inbox} keys=${4:-/etc/ssh/pisis-keys}
[[ $login =~ ^[A-Z]{2}[A-Z0-9]{1,17}$ ]] || { echo "el login es tipo y número: CC10000001" >&2; exit 2; }
getent group pisis >/dev/null || groupadd --system pisis
getent group pisis-remitentes >/dev/null || groupadd --system pisis-remitentes
id "$login" >/dev/null 2>&1 || useradd --no-create-home --home-dir "/$login" --shell /usr/sbin/nologin \
    --gid pisis-remitentes --password '*' "$login"  # no password, yet not locked: keys only
# sshd refuses a chroot that anybody but root may write to; nobody but the service may list it
install -d -o root -g pisis -m 0751 "$inbox"
# the group bit hands every file to the service; 2770: no sender enters another's folder
install -d -o "$login" -g pisis -m 2770 "$inbox/$login"
install -d -o root -g root -m 0755 "$keys"
install -o root -g root -m 0644 "$key" "$keys/$login"
