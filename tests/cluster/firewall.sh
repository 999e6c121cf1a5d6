#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2154,SC2207
# Hosts that let in ssh, and nothing else but the ports that the parameter file names.
set -u
tools=nft
. "$(dirname "$0")/with_bed.sh"
unshare --net nft add table inet t 2>/dev/null || skip "this machine has no packet filter for nft"

cat >"$CPAR_BED/firewall" <<END
table inet firewall {
    chain input {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        tcp dport { 22, 50000-50199 } accept
    }
}
END
everywhere "nft -f '$CPAR_BED/firewall'"
everywhere 'echo 1 >/proc/sys/net/ipv4/tcp_syn_retries' # to give up after 3 s, not 2 minutes

login mpirun --hostfile "$source/hostfile.example" --tune "$tune" "$build/apps/ring"
fails
told "unable to complete a TCP connection"

sed -E 's/^#(-mca .*(ports|port_min_v4|port_range_v4))/\1/' "$tune" >"$CPAR_BED/ports.conf"
login mpirun --hostfile "$source/hostfile.example" --tune "$CPAR_BED/ports.conf" "$build/apps/ring" --laps 10 --bytes 1000000
ends 0
lines out 1 "^10 laps of 1000000 bytes: .* all bytes right on every rank$"

finish_with_bed
