# What own printed, nanoseconds, beside the instructions that callgrind counted: awk -f own.awk COUNTS NANOSECONDS
match($0, /measured_[a-z_]+/) {
    name = substr($0, RSTART + 9, RLENGTH - 9)
    gsub(",", "", $1)
    instructions[name] = $1
    next
}
FILENAME == ARGV[2] {
    ns[$1] = $2
    calls[$1] = $3
    order[++n] = $1
}
END {
    label["mpi"] = "send and receive of as many bytes, MPI's calls alone"
    label["send"] = "cpar_send"
    label["receive"] = "cpar_receive, cpar_free"
    label["receive_into"] = "cpar_receive_into"
    label["lane_send"] = "cpar_send through a lane"
    label["lane_receive"] = "cpar_receive, cpar_free through a lane, with the copy"
    label["lane_receive_into"] = "cpar_receive_into through a lane, with the copy"
    printf "%-55s %8s %13s\n", "8 bytes, where MPI does next to nothing or nothing", "ns", "instructions"
    for (i = 1; i <= n; i++) {
        counted = instructions[order[i]] / calls[order[i]]
        printf "%-55s %8.1f %13s\n", label[order[i]], ns[order[i]], counted ? sprintf("%.0f", counted) : "-"
        printf "{\"case\":\"own_%s\",\"ns\":%.1f,\"instructions\":%.0f}\n", order[i], ns[order[i]], counted >json
    }
}
