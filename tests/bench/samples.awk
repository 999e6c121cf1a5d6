# Reads samples of bench and of peers, for report.awk and peers.awk: awk -f samples.awk -f report.awk
function median(key,    n, i, j, x, v) {
    n = count[key]
    if (!n) return 0
    for (i = 1; i <= n; i++) v[i] = value[key, i]
    for (i = 2; i <= n; i++) {
        x = v[i]
        for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]
        v[j + 1] = x
    }
    low = v[int((n + 3) / 4)]
    high = v[n + 1 - int((n + 3) / 4)]
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}
function ratio(a, b) { return a && b ? sprintf("%.2f", a / b) : "-" }

BEGIN { FS = "\t" }
NF == 4 {
    if (!(($1, $2) in seen)) {
        seen[$1, $2] = 1
        order[++rows] = $1 SUBSEP $2
    }
    key = $1 SUBSEP $2 SUBSEP $3
    value[key, ++count[key]] = $4
}
