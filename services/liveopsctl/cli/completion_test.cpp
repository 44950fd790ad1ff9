#include "services/liveopsctl/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "services/liveopsctl/cli/parse.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

void ForEachCommand(const CommandNode& node, const std::string& path,
                    const std::function<void(const std::string&, const CommandNode&)>& visit) {
  visit(path, node);
  for (const CommandNode& child : node.children) {
    ForEachCommand(child, path.empty() ? child.name : path + " " + child.name, visit);
  }
}

TEST(CompletionScript, MentionsEveryCommandAndOptionInEveryShell) {
  const CommandNode root = DescribeCommands();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = CompletionScript(shell, root);
    int commands = 0;
    ForEachCommand(root, "", [&](const std::string& path, const CommandNode& node) {
      ++commands;
      EXPECT_THAT(script, HasSubstr(path)) << shell;
      for (const OptionInfo& option : node.options) {
        const std::string name = option.names.back();
        EXPECT_THAT(script, HasSubstr(shell == std::string("fish") ? "-l " + name.substr(2) : name))
            << shell;
      }
    });
    EXPECT_EQ(commands, 32);  // the root, 5 groups, 26 that run
  }
}

TEST(CompletionScript, UnknownShellGivesNothing) {
  EXPECT_EQ(CompletionScript("tcsh", DescribeCommands()), "");
}

// What bash offers for the words typed so far; the last one is being completed.
std::vector<std::string> BashOffers(const std::vector<std::string>& words) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                       ("liveopsctl-completion-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path script = folder / "test.bash";
  {
    std::ofstream out(script);
    out << CompletionScript("bash", DescribeCommands()) << "cd " << folder
        << "\nCOMP_WORDS=(liveopsctl";
    for (const std::string& word : words) out << " '" << word << "'";
    out << ")\nCOMP_CWORD=" << words.size()
        << "\n_liveopsctl\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  }
  std::vector<std::string> offers;
  FILE* pipe = ::popen(("bash --norc " + script.string() + " 2>&1").c_str(), "r");
  char line[512];
  while (pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr) {
    offers.emplace_back(line);
    offers.back().pop_back();
  }
  if (pipe != nullptr) ::pclose(pipe);
  std::filesystem::remove_all(folder);
  return offers;
}

TEST(CompletionScript, BashCompletesForReal) {
  using ::testing::Contains;
  using ::testing::ElementsAre;
  using ::testing::Not;
  EXPECT_THAT(BashOffers({"al"}), ElementsAre("alarms"));
  EXPECT_THAT(BashOffers({"alarms", "w"}), ElementsAre("watch"));
  EXPECT_THAT(BashOffers({"--config", "plan", "alarms", "w"}), ElementsAre("watch"));
  EXPECT_THAT(BashOffers({"alarms", "list", "--"}), Contains("--service"));
  EXPECT_THAT(BashOffers({"alarms", "list", "--"}), Contains("--json"));
  EXPECT_THAT(BashOffers({"alarms", "list", "--"}), Not(Contains("--reason")));
  EXPECT_THAT(BashOffers({"send", "--kind", "g"}), ElementsAre("gauge"));
  EXPECT_THAT(BashOffers({"completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(BashOffers({"plan", "check", "te"}), ElementsAre("test.bash"));
  EXPECT_THAT(BashOffers({"plan", "drift", "te"}), ElementsAre("test.bash"));
  EXPECT_THAT(BashOffers({"plan", "ex"}), ElementsAre("export"));
  EXPECT_THAT(BashOffers({"plan", "ba"}), ElementsAre("backtest"));
  EXPECT_THAT(BashOffers({"plan", "test", "te"}), ElementsAre("test.bash"));
  EXPECT_THAT(BashOffers({"plan", "backtest", "p.yaml", "--data", "te"}), ElementsAre("test.bash"));
}

}  // namespace
}  // namespace liveops::ctl
