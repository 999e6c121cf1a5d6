# Shows Doxygen a page for each call. In the headers a comment stands before the plain function and tells of the macro, as
#   /** cpar_send(value, ...): sends ... */ int cpar_send_at(...);
# Here it becomes the page cpar_send, with the macro's form, what that returns, and the function. The list of error codes
# becomes an enum with its texts.

# Writes the comment that was read, as the page of `name`.
function page(name, is_call, declaration,    title, text, form, returns) {
    text = comment
    if (match(text, "^" name "\\([^)]*\\): ")) {
        form = substr(text, 1, RLENGTH - 2)
        text = toupper(substr(text, RLENGTH + 1, 1)) substr(text, RLENGTH + 2)
        if (declaration ~ /const cpar_(p2p|collective) \*c\)/) {
            sub(/\)$/, ", .group = g)", form)
            sub(/\(, /, "(", form)
        }
        returns = declaration
        sub(/^CPAR_API /, "", returns)
        sub("cpar_[a-z_0-9]*\\(.*", "", returns)
        form = "@code{.c}\n#include <" header ">\n\n" returns form ";\n@endcode\n"
    }
    title = text
    if (match(title, /[.;:]([ \n]|$)/)) title = substr(title, 1, RSTART - 1)
    gsub(/\n/, " ", title)
    gsub(/\nErrors: /, "\n@par Errors\n", text)
    gsub(/\n(Blocks|Collective)/, "\n&", text)
    printf "/** @defgroup %s %s\n%s%s\n@{ */\n", name, title, form, text
    printf "/** %s */\n%s\n/** @} */\n", is_call ? "What " name " calls." : "See above.", declaration
}

FNR == 1 {
    only_documented = FILENAME ~ /cpar_macros/
    header = FILENAME
    sub(/.*\//, "", header)
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
    if (/^#define [A-Za-z_]+\(/) $0 = substr($0, 1, index($0, ")"))
    if (match($0, /cpar_[a-z_]+\(/) && !/^typedef/) {
        name = substr($0, RSTART, RLENGTH - 1)
        declaration = $0
        while (!/^#/ && declaration !~ /;/ && (getline line) > 0) declaration = declaration "\n" line
        page(name ~ /_at$/ ? substr(name, 1, length(name) - 3) : name, /_at\(/, declaration)
    } else if (match($0, /^typedef struct cpar_[a-z]+ cpar_[a-z]+;/)) { # opaque
        name = $NF
        sub(/;/, "", name)
        page(name, 0, $0)
    } else
        printf "/**\n%s */\n%s\n", comment, $0
    next
}
!only_documented && !/^#define cpar_/ { print }
