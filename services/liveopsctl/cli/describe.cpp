#include "services/liveopsctl/cli/describe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "common/base/text.h"

namespace liveops::ctl {
namespace {

bool IsFile(const std::string& name) {
  return name == "FILE" || name == "PLAN" || name == "OLD" || name == "NEW" || name == "--config" ||
         name == "--ca" || name == "--cert" || name == "--key" || name == "--data" ||
         name == "--expect";
}

std::vector<const CLI::App*> ChildrenOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* child) { return !child->get_name().empty(); });
}

OptionInfo DescribeOption(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  info.description = option.get_description();
  if (option.get_items_expected_max() > 0) {
    info.value = ValueKind::kText;
    if (IsFile(info.names.back())) info.value = ValueKind::kFile;
    if (const auto found = Choices().find(info.names.back()); found != Choices().end()) {
      info.value = ValueKind::kChoice;
      info.choices = found->second;
    }
  }
  return info;
}

}  // namespace

const std::map<std::string, std::vector<std::string>>& Choices() {
  static const std::map<std::string, std::vector<std::string>> kChoices{
      {"--kind", {"gauge", "delta", "observation"}},
      {"--level", {"trace", "debug", "info", "warn", "error", "fatal"}},
      {"SHELL", {"bash", "zsh", "fish"}},
      {"--only", {"ingest", "evaluation", "notifier", "remediation"}}};
  return kChoices;
}

CommandNode Describe(const CLI::App& app) {
  CommandNode node;
  node.name = app.get_name();
  node.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      node.options.push_back(DescribeOption(*option));
      continue;
    }
    ArgumentInfo argument;
    argument.name = option->get_name(true);
    if (IsFile(argument.name)) argument.value = ValueKind::kFile;
    if (const auto found = Choices().find(argument.name); found != Choices().end()) {
      argument.value = ValueKind::kChoice;
      argument.choices = found->second;
    }
    node.arguments.push_back(std::move(argument));
  }
  for (const CLI::App* child : ChildrenOf(app)) node.children.push_back(Describe(*child));
  return node;
}

std::string UsageMessage(CLI::App& app, const CLI::ParseError& error) {
  CLI::App* deepest = &app;
  std::string path = "liveopsctl";
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    path += " " + deepest->get_name();
  }
  std::vector<std::string> commands;
  for (const CLI::App* child : ChildrenOf(*deepest)) commands.push_back(child->get_name());
  std::vector<std::string> options;
  for (const CLI::App* at :
       {static_cast<const CLI::App*>(deepest), static_cast<const CLI::App*>(&app)}) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
  }
  const std::vector<std::string> left = app.remaining(true);
  for (const std::string& word : left) {
    if (word.size() < 2 || word.front() != '-') continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string nearest = NearestWord(name, options);
    return fmt::format("{}: unknown option {}{}", path, name,
                       nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
  }
  if (!commands.empty()) {
    if (!left.empty()) {
      return fmt::format("{}: unknown command \"{}\"{}", path, left.front(),
                         Suggestion(left.front(), commands));
    }
    if (deepest->get_subcommands().empty() && dynamic_cast<const CLI::RequiredError*>(&error)) {
      return fmt::format("{}: a command is missing; known are: {}", path,
                         fmt::join(commands, ", "));
    }
  }
  if (!left.empty()) return fmt::format("{}: unexpected argument \"{}\"", path, left.front());
  return fmt::format("{}: {}", path, error.what());
}

}  // namespace liveops::ctl
