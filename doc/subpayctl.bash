# subpayctl.bash - tab completion for bash, of commands, options and files.
#
# What there is, subpayctl says itself: nothing here has to be told of a new command.
# Addresses and references are not completed: they would have to be asked of the database.

_subpayctl() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
    local before=${COMP_WORDS[COMP_CWORD - 1]} help commands options takes_value
    local line given=() i

    COMPREPLY=()
    help=$("$program" --help 2>/dev/null) || return 0
    commands=$(sed -n '/^commands:/,/^options:/s/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' <<<"$help")
    options=$(sed -n '/^options:/,$s/^  \(--[a-z]*\) .*/\1/p' <<<"$help")
    takes_value=$(sed -n '/^options:/,$s/^  \(--[a-z]*\)  *[A-Z][A-Z]*  .*/\1/p' <<<"$help")

    case $before in
    --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --share) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --*) grep -qxe "$before" <<<"$takes_value" && return ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        line=${COMP_WORDS[i]}
        [[ $line == -* ]] || grep -qxe "${COMP_WORDS[i - 1]}" <<<"$takes_value" || given+=("$line")
    done
    # What is left of each command that begins with the words before this one.
    line=${given[*]}
    mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${line:+$line }\([a-z]*\).*/\1/p" <<<"$commands")" -- "$word")
}
complete -F _subpayctl subpayctl
