# Completion of atomic(1) for fish. `atomic __complete WORD...` lists the candidates for the last word, from the tables of
# its verbs.

function __atomic_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        set -l path (string match -r -- '^:(files|folders) (.*)$' $line)
        if test (count $path) -eq 0
            echo $line
            continue
        end
        set -l after $path[3]
        set -l rest (string sub -s (math (string length -- "$after") + 1) -- "$word")
        set -l found
        if test $path[2] = folders
            set found (__fish_complete_directories "$rest" '')
        else
            set found (__fish_complete_path "$rest")
        end
        for name in $found
            echo "$after$name"
        end
    end
end

complete -c atomic -f -a '(__atomic_complete)'
