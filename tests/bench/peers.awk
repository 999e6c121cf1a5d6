# Medians of samples of bench and of peers, as a table: for each case and size the microseconds of MPI alone, the ratios of all
# others to it, and for each case at how many sizes cpar is ahead of each peer: with owned messages, where the peer makes the memory
# for what it receives, and else into own memory, where the case has that.
END {
    ways = split("cpar into mpi4py_pickle mpi4py_pkl5 mpi4py_buffer boost_vector boost_array", way, " ")
    fair["mpi4py_buffer"] = fair["boost_array"] = "into"
    printf "%-9s %9s %11s %7s", "case", "bytes", "raw us", "spread"
    for (w = 1; w <= ways; w++) printf " %13s", way[w]
    print ""
    for (i = 1; i <= rows; i++) {
        split(order[i], part, SUBSEP)
        if (part[1] != name) end_case()
        name = part[1]
        us["raw"] = median(order[i] SUBSEP "raw")
        printf "%-9s %9d %11.3f %6.0f%%", name, part[2], us["raw"], us["raw"] ? 100 * (high - low) / us["raw"] : 0
        line = sprintf("{\"case\":\"%s\",\"bytes\":%d,\"raw_us\":%.4f", name, part[2], us["raw"])
        for (w = 1; w <= ways; w++) {
            us[way[w]] = median(order[i] SUBSEP way[w])
            printf " %13s", ratio(us[way[w]], us["raw"])
            line = line sprintf(",\"%s_us\":%.4f", way[w], us[way[w]])
        }
        print ""
        if (json) print line "}" >json
        for (w = 3; w <= ways; w++) {
            if (!us[way[w]]) continue
            own[w] = us[fair[way[w]]] ? fair[way[w]] : "cpar"
            sizes[w]++
            ahead[w] += us[own[w]] < us[way[w]]
        }
    }
    end_case()
}
function end_case(    w, text) {
    for (w = 3; w <= ways; w++)
        if (sizes[w]) text[own[w]] = text[own[w]] (text[own[w]] ? ", of " : name ": " own[w] " is ahead of ") way[w] " at " ahead[w] " of " sizes[w] " sizes"
    for (w = 1; w <= 2; w++)
        if (text[way[w]]) print text[way[w]]
    split("", sizes)
    split("", ahead)
}
