#include "services/liveopsctl/cli/completion.h"

#include <fmt/format.h>

#include <functional>
#include <set>
#include <vector>

namespace liveops::ctl {
namespace {

// Calls `visit(path, node)` for the root (path "") and every command (path "plan check").
void Walk(const CommandNode& node, const std::string& path,
          const std::function<void(const std::string&, const CommandNode&)>& visit) {
  visit(path, node);
  for (const CommandNode& child : node.children) {
    Walk(child, path.empty() ? child.name : path + " " + child.name, visit);
  }
}

// Every option once, by its names, with those of the root first.
std::vector<OptionInfo> AllOptions(const CommandNode& root) {
  std::vector<OptionInfo> all;
  std::set<std::string> seen;
  Walk(root, "", [&](const std::string&, const CommandNode& node) {
    for (const OptionInfo& option : node.options) {
      if (seen.insert(option.names.back()).second) all.push_back(option);
    }
  });
  return all;
}

// Names joined by `separator`, of the options that `wanted` picks.
std::string NamesWhere(const std::vector<OptionInfo>& options, const std::string& separator,
                       const std::function<bool(const OptionInfo&)>& wanted) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) {
    if (wanted(option)) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(names, separator));
}

// Words that may stand after `path`: commands, choices of arguments, options.
std::string WordsAt(const CommandNode& root, const CommandNode& node) {
  std::vector<std::string> words;
  std::set<std::string> seen;
  const auto add = [&](const std::string& word) {
    if (seen.insert(word).second) words.push_back(word);
  };
  for (const CommandNode& child : node.children) add(child.name);
  for (const ArgumentInfo& argument : node.arguments) {
    for (const std::string& choice : argument.choices) add(choice);
  }
  for (const OptionInfo& option : node.options) {
    for (const std::string& name : option.names) add(name);
  }
  for (const OptionInfo& option : root.options) {
    // --version takes a number after `plan show`, and `--version` of the root belongs to the root
    // alone.
    if (&node != &root && option.names.back() == "--version") continue;
    for (const std::string& name : option.names) add(name);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

bool TakesFile(const CommandNode& node) {
  for (const ArgumentInfo& argument : node.arguments) {
    if (argument.value == ValueKind::kFile) return true;
  }
  return false;
}

// The part that bash and zsh share: from the words before the cursor to `path`.
std::string PathLoop(const CommandNode& root, const std::string& words_before) {
  const std::vector<OptionInfo> options = AllOptions(root);
  std::vector<std::string> paths;
  Walk(root, "", [&](const std::string& path, const CommandNode&) {
    if (!path.empty()) paths.push_back("\"" + path + "\"");
  });
  return fmt::format(
      "  for word in {}; do\n"
      "    if [[ -n $skip ]]; then skip=; continue; fi\n"
      "    case $word in\n"
      "      {}) skip=1 ;;\n"
      "      -*) ;;\n"
      "      *)\n"
      "        case \"${{path:+$path }}$word\" in\n"
      "          {}) path=\"${{path:+$path }}$word\" ;;\n"
      "        esac ;;\n"
      "    esac\n"
      "  done\n",
      words_before,
      NamesWhere(options, "|", [](const OptionInfo& o) { return o.value != ValueKind::kNone; }),
      fmt::join(paths, "|"));
}

// `case` branches on the path, one line a command: what `line` gives.
std::string PathCases(const CommandNode& root,
                      const std::function<std::string(const CommandNode&)>& line) {
  std::string out;
  Walk(root, "", [&](const std::string& path, const CommandNode& node) {
    if (const std::string text = line(node); !text.empty()) {
      out += fmt::format("    \"{}\") {} ;;\n", path, text);
    }
  });
  return out;
}

// `case` branches on the option before the cursor; `words(…)` and `files` are the shell's own
// commands.
std::string ValueCases(const CommandNode& root,
                       const std::function<std::string(std::string)>& words,
                       const std::string& files) {
  const std::vector<OptionInfo> options = AllOptions(root);
  std::string out;
  for (const OptionInfo& option : options) {
    if (option.value != ValueKind::kChoice) continue;
    out += fmt::format("    {}) {}; return ;;\n", fmt::join(option.names, "|"),
                       words(fmt::format("{}", fmt::join(option.choices, " "))));
  }
  const auto names = [&](ValueKind kind) {
    return NamesWhere(options, "|", [kind](const OptionInfo& o) { return o.value == kind; });
  };
  out += fmt::format("    {}) {}; return ;;\n", names(ValueKind::kFile), files);
  out += fmt::format("    {}) return ;;\n", names(ValueKind::kText));
  return out;
}

std::string Bash(const CommandNode& root) {
  const auto words = [](const std::string& list) {
    return "COMPREPLY=($(compgen -W \"" + list + "\" -- \"$cur\"))";
  };
  const std::string files = "COMPREPLY=($(compgen -f -- \"$cur\"))";
  std::string out =
      "# bash completion for liveopsctl: source <(liveopsctl completion bash)\n"
      "_liveopsctl() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= skip= word\n"
      "  COMPREPLY=()\n";
  out += PathLoop(root, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
  out += "  case $prev in\n" + ValueCases(root, words, files) + "  esac\n";
  out += "  case $path in\n" +
         PathCases(root, [&](const CommandNode& node) { return words(WordsAt(root, node)); }) +
         "  esac\n";
  out += "  if [[ $cur != -* ]]; then\n    case $path in\n" +
         PathCases(root,
                   [](const CommandNode& node) {
                     return TakesFile(node) ? "COMPREPLY+=($(compgen -f -- \"$cur\"))" : "";
                   }) +
         "    esac\n  fi\n}\ncomplete -o filenames -F _liveopsctl liveopsctl\n";
  return out;
}

std::string Zsh(const CommandNode& root) {
  const auto words = [](const std::string& list) { return "compadd -- " + list; };
  std::string out =
      "#compdef liveopsctl\n"
      "# zsh completion for liveopsctl: liveopsctl completion zsh > \"${fpath[1]}/_liveopsctl\"\n"
      "_liveopsctl() {\n"
      "  local prev=${words[CURRENT-1]} path_= skip= word\n";
  // `path` is tied to $PATH in zsh: another name there.
  std::string loop = PathLoop(root, "\"${(@)words[2,CURRENT-1]}\"");
  for (std::size_t at = 0; (at = loop.find("path", at)) != std::string::npos; at += 5) {
    loop.replace(at, 4, "path_");
  }
  out += loop;
  out += "  case $prev in\n" + ValueCases(root, words, "_files") + "  esac\n";
  out += "  case $path_ in\n" +
         PathCases(root,
                   [&](const CommandNode& node) {
                     return words(WordsAt(root, node)) + (TakesFile(node) ? "; _files" : "");
                   }) +
         "  esac\n}\n";
  out +=
      "if [[ $funcstack[1] == _liveopsctl ]]; then _liveopsctl \"$@\"; else compdef _liveopsctl "
      "liveopsctl; fi\n";
  return out;
}

std::string FishQuote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string FishOption(const OptionInfo& option, const std::string& condition) {
  std::string line = "complete -c liveopsctl" + condition;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.value == ValueKind::kText) line += " -x";
  if (option.value == ValueKind::kFile) line += " -r -F";
  if (option.value == ValueKind::kChoice) {
    line += " -x -a " + FishQuote(fmt::format("{}", fmt::join(option.choices, " ")));
  }
  return line + " -d " + FishQuote(option.description) + "\n";
}

std::string Fish(const CommandNode& root) {
  const std::vector<OptionInfo> options = AllOptions(root);
  std::vector<std::string> paths;
  Walk(root, "", [&](const std::string& path, const CommandNode&) {
    if (!path.empty()) paths.push_back(FishQuote(path));
  });
  std::string out = fmt::format(
      "# fish completion for liveopsctl: liveopsctl completion fish | source\n"
      "function __liveopsctl_at\n"
      "  set -l path ''\n"
      "  set -l skip 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $skip = 1; set skip 0; continue; end\n"
      "    switch $word\n"
      "      case {}\n"
      "        set skip 1\n"
      "      case '-*'\n"
      "      case '*'\n"
      "        set -l next (string trim -- \"$path $word\")\n"
      "        if contains -- $next {}\n"
      "          set path $next\n"
      "        end\n"
      "    end\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c liveopsctl -f\n",
      NamesWhere(options, " ", [](const OptionInfo& o) { return o.value != ValueKind::kNone; }),
      fmt::join(paths, " "));
  Walk(root, "", [&](const std::string& path, const CommandNode& node) {
    const std::string here = " -n " + FishQuote("__liveopsctl_at \"" + path + "\"");
    for (const CommandNode& child : node.children) {
      out += fmt::format("complete -c liveopsctl{} -a {} -d {}\n", here, child.name,
                         FishQuote(child.description));
    }
    for (const ArgumentInfo& argument : node.arguments) {
      if (argument.value == ValueKind::kFile)
        out += fmt::format("complete -c liveopsctl{} -F\n", here);
      for (const std::string& choice : argument.choices) {
        out += fmt::format("complete -c liveopsctl{} -a {}\n", here, choice);
      }
    }
    for (const OptionInfo& option : node.options) {
      // The root's options hold everywhere, but its --version stands alone.
      const bool everywhere = &node == &root && option.names.back() != "--version";
      out += FishOption(option, everywhere ? "" : here);
    }
  });
  return out;
}

}  // namespace

std::string CompletionScript(std::string_view shell, const CommandNode& root) {
  if (shell == "bash") return Bash(root);
  if (shell == "zsh") return Zsh(root);
  if (shell == "fish") return Fish(root);
  return "";
}

}  // namespace liveops::ctl
