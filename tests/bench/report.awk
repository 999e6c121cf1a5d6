# Medians of bench's samples, as a table: for each case and size the microseconds of MPI alone, and the ratios of cpar to it.
# Samples of `default`, from another run, are MPI's with its default settings.
END {
    printf "%-17s %9s %11s %7s %9s %9s %9s %9s\n", "case", "bytes", "raw us", "spread", "cpar/raw", "into/raw", "cpar/def", "into/def"
    for (i = 1; i <= rows; i++) {
        split(order[i], part, SUBSEP)
        raw = median(order[i] SUBSEP "raw")
        spread = raw ? (high - low) / raw : 0
        own = median(order[i] SUBSEP "cpar")
        into = median(order[i] SUBSEP "into")
        def = median(order[i] SUBSEP "default")
        printf "%-17s %9d %11.3f %6.0f%% %9s %9s %9s %9s\n", part[1], part[2], raw, 100 * spread, ratio(own, raw), ratio(into, raw), ratio(own, def), ratio(into, def)
        if (own && raw) { sum[part[1]] += log(own / raw); number[part[1]]++; if (own / raw > worst[part[1]]) worst[part[1]] = own / raw }
        if (own && def && part[2] <= 16777216) { sum_def[part[1]] += log(own / def); number_def[part[1]]++; if (own / def > worst_def[part[1]]) worst_def[part[1]] = own / def }
        if (json) printf "{\"case\":\"%s\",\"bytes\":%d,\"raw_us\":%.4f,\"cpar_us\":%.4f,\"into_us\":%.4f,\"default_us\":%.4f}\n", part[1], part[2], raw, own, into, def >json
    }
    for (name in sum) printf "%-17s geometric mean %.2f, worst %.2f%s\n", name, exp(sum[name] / number[name]), worst[name],
        number_def[name] ? sprintf("; to MPI's default settings %.2f, worst %.2f", exp(sum_def[name] / number_def[name]), worst_def[name]) : ""
}
