# Shows Doxygen a page for each call. In the headers a comment stands before the plain function and tells of the macro, as
#   /** cpar_send(value, ...): sends ... */ int cpar_send_at(...);
# Here it becomes the page cpar_send, with the function in it. The list of error codes becomes an enum with its texts.

# Writes the comment that was read, as the page of `name`.
function page(name, is_call, declaration,    title, text) {
    title = name
    text = comment
    if (match(text, "^" name "\\([^)]*\\)")) title = substr(text, RSTART, RLENGTH)
    gsub(/\nErrors: /, "\n@par Errors\n", text)
    printf "/** @defgroup %s %s\n%s\n@{ */\n", name, title, text
    printf "/** %s */\n%s\n/** @} */\n", is_call ? "What " name " calls." : "See above.", declaration
}

FNR == 1 {
    only_documented = FILENAME ~ /cpar_macros/
    if (!only_documented) printf "/** @file */\n"
    in_head = sub(/^\/\* cpar, /, "/** @mainpage cpar, ")
}
in_head {
    if (/\*\/ *$/) in_head = 0
    if (!sub(/^     /, "        ")) sub(/^   /, "") # code stands further in
    print
    next
}

/^#define CPAR_ERRORS\(X\)/ { in_errors = 1; next }
in_errors {
    if (match($0, /X\([^)]*\)/)) {
        row = substr($0, RSTART + 2, RLENGTH - 3)
        split(row, part, /, */)
        text = substr(row, index(row, "\"") + 1)
        sub(/"$/, "", text)
        errors = errors "    CPAR_ERROR_" part[1] " = " part[2] ", /**< " text " */\n"
    }
    if (!/\\$/) in_errors = 0
    next
}
/CPAR_ERRORS\(CPAR_ERROR_ENUM_\)/ { printf "enum {\n%s    CPAR_SUCCESS = 0 /**< all is well */\n};\n", errors; next }

# A comment, up to its end.
/^\/\*\* / && !/\*\/.*[;{,]/ {
    comment = substr($0, 5)
    while (comment !~ /\*\/ *$/ && (getline line) > 0) {
        sub(/^    /, "", line)
        comment = comment "\n" line
    }
    sub(/ *\*\/ *$/, "", comment)
    waiting = 1
    next
}
waiting {
    waiting = 0
    if (/^#define .*\(/) $0 = substr($0, 1, index($0, ")"))
    if (match($0, /cpar_[a-z_]+\(/) && !/^typedef/) {
        name = substr($0, RSTART, RLENGTH - 1)
        declaration = $0
        while (!/^#/ && declaration !~ /;/ && (getline line) > 0) declaration = declaration "\n" line
        page(name ~ /_at$/ ? substr(name, 1, length(name) - 3) : name, /_at\(/, declaration)
    } else
        printf "/** %s */\n%s\n", comment, $0
    next
}
!only_documented && !/^#define cpar_/ { print }
