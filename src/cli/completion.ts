import type { Command } from 'commander'
import { svcdError } from '../base/errors.ts'
import type { CommandEntry } from './command-entry.ts'
import { candidates } from './completion-candidates.ts'
import type { Io } from './io.ts'
import { addExamples, newCommand } from './new-command.ts'

// The scripts call svcd itself, so they always match the commands and options of this release.
const scripts = {
  bash: `# svcd completion for bash. Add this line to ~/.bashrc: source <(svcd completion bash)
_svcd() {
  local candidate rest
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate rest; do
    COMPREPLY+=("$candidate")
  done < <(svcd completion candidates -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _svcd svcd
`,
  zsh: `#compdef svcd
# svcd completion for zsh. Add this line to ~/.zshrc, after compinit: source <(svcd completion zsh)
_svcd() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(svcd completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe svcd found; else _files; fi
}
compdef _svcd svcd
`,
  fish: `# svcd completion for fish. Install it with: svcd completion fish > ~/.config/fish/completions/svcd.fish
function __svcd_candidates
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l found (svcd completion candidates -- $before[2..-1] "$current" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c svcd -f -a '(__svcd_candidates)'
`,
} as const

export function completionCommand(
  io: Io,
  commands: Readonly<Record<string, CommandEntry>>,
): Command {
  const command = newCommand(
    'completion',
    'Print a shell script that completes commands, options, and the names of registered services and nodes. ' +
      'Load it in ~/.bashrc or ~/.zshrc, or save it to the directory of fish, as the examples show.',
    io,
  )
    .argument('<shell>', 'The shell: bash, zsh or fish.')
    // What the scripts call: `candidates -- WORD…`, where the last word is the one to complete.
    .argument('[words...]', 'Internal: used by the completion script.')
    .action(async (shell: string, words: readonly string[]) => {
      if (shell === 'candidates') {
        const found = await candidates(words, commands, io)
        io.out(found.map(({ text, help }) => `${text}\t${help}\n`).join(''))
      } else if (isShell(shell)) io.out(scripts[shell])
      else {
        const reason = `Unknown shell "${shell}". Use bash, zsh or fish. See \`svcd completion --help\`.`
        throw svcdError('usage', { reason })
      }
    })
  return addExamples(command, [
    'source <(svcd completion bash)',
    'source <(svcd completion zsh)',
    'svcd completion fish > ~/.config/fish/completions/svcd.fish',
  ])
}

function isShell(text: string): text is keyof typeof scripts {
  return Object.hasOwn(scripts, text)
}
