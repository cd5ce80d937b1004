/**
 * completion: the scripts that make bash, zsh and fish complete `wherry`. They are thin: each hands the words typed so far to
 * `wherry __complete` (`complete.ts`) and shows what that answers, so that a new command needs no new script.
 */
import { Failure } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { Context } from '../command.ts';
import { DONE } from '../exits.ts';

/** bash splits words at the colons of places; they are put together again, and what stands before the last colon is left out of the answers. */
const BASH = String.raw`# Completion of wherry for bash:  source <(wherry completion bash)
_wherry() {
  local line=${'${COMP_LINE:0:COMP_POINT}'} words=() i piece cur rest answer
  rest=$line
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=${'${COMP_WORDS[i]}'}
    if ((i == COMP_CWORD)); then piece=${'${rest#"${rest%%[![:space:]]*}"}'}; fi
    if [[ $i == 0 || $rest == [[:space:]]* || -z $rest ]]; then
      words+=("$piece")
    else
      words[${'${#words[@]}'}-1]+=$piece
    fi
    rest=${'${rest#"${rest%%[![:space:]]*}"}'}
    rest=${'${rest#"$piece"}'}
  done
  words=("${'${words[@]//\\\\/}'}")
  cur=${'${words[${#words[@]}-1]}'}
  COMPREPLY=()
  while IFS= read -r answer; do
    if [[ $answer == :files ]]; then
      compopt -o filenames
      while IFS= read -r answer; do COMPREPLY+=("$answer"); done < <(compgen -f -- "$cur")
      continue
    fi
    answer=${'${answer%%$\'\\t\'*}'}
    [[ $answer == */ || $answer == *: ]] && compopt -o nospace
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then answer=${'${answer#"${cur%"${cur##*:}"}"}'}; fi
    COMPREPLY+=("$(printf %q "$answer")")
  done < <("${'${COMP_WORDS[0]}'}" __complete -- "${'${words[@]:1}'}" 2>/dev/null)
}
complete -F _wherry wherry
`;

const ZSH = String.raw`#compdef wherry
# Completion of wherry for zsh:  source <(wherry completion zsh), or this file as _wherry in a folder of $fpath
_wherry() {
  local answer word
  local -a open closed openmeant closedmeant
  local files=0
  while IFS= read -r answer; do
    if [[ $answer == :files ]]; then files=1; continue; fi
    word=${'${answer%%$\'\\t\'*}'}
    if [[ $word == */ || $word == *: ]]; then open+=("$word"); openmeant+=("${'${answer/$\'\\t\'/  }'}")
    else closed+=("$word"); closedmeant+=("${'${answer/$\'\\t\'/  }'}"); fi
  done < <("${'${words[1]}'}" __complete -- "${'${(@Q)words[2,CURRENT]}'}" 2>/dev/null)
  (( ${'${#open}'} )) && compadd -l -S '' -d openmeant -- "${'${open[@]}'}"
  (( ${'${#closed}'} )) && compadd -l -d closedmeant -- "${'${closed[@]}'}"
  (( files )) && _files
}
if [[ $funcstack[1] == _wherry ]]; then _wherry "$@"; else compdef _wherry wherry; fi
`;

const FISH = String.raw`# Completion of wherry for fish:  wherry completion fish | source
function __wherry_complete
    set -l words (commandline -opc) (commandline -ct)
    for answer in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
        if test "$answer" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $answer
        end
    end
end
complete -c wherry -f -a '(__wherry_complete)'
`;

const SCRIPTS: ReadonlyMap<string, string> = new Map([['bash', BASH], ['zsh', ZSH], ['fish', FISH]]);

export async function completion({ report }: Context, { words: [shell = ''] }: { words: readonly string[] }): Promise<number> {
  const script = SCRIPTS.get(shell);
  if (script === undefined) throw new Failure('USAGE', `there is no completion for ${printable(shell)}`, { hint: `choose ${[...SCRIPTS.keys()].join(', ')}` });
  await report.answer(script.trimEnd(), { event: 'completion', shell, script });
  return DONE;
}
