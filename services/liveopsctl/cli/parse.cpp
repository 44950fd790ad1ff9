#include "services/liveopsctl/cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/base/text.h"
#include "services/liveopsctl/cli/describe.h"
#include "services/liveopsctl/cli/source.h"
#include "services/liveopsctl/cli/values.h"

namespace liveops::ctl {
namespace {

constexpr const char* kFooter =
    "Every call proves who you are by the client certificate (ca, cert, key); there is no option "
    "for a "
    "name.\n"
    "Addresses and certificate come from ~/.config/liveops/liveopsctl.yaml (or --config, or "
    "LIVEOPS_CONFIG)\n"
    "with the keys ingest, evaluation, notifier, remediation (host:port), ca, cert, key; options "
    "override it.\n"
    "\n"
    "Exit codes:\n"
    "  0  done, or the answer is yes\n"
    "  1  the answer is no: problems found, not found, denied, refused, not ready\n"
    "  2  the command line or the configuration is wrong (plan test, backtest, diff, drift: or a "
    "file)\n"
    "  3  the server could not be reached, or cannot serve now (status: none of them answers; plan "
    "drift:\n"
    "     or it refuses)\n";

// What the options write into while CLI11 reads; turned into a Command once all is read.
struct Draft {
  Globals globals;
  std::string timeout;
  PlanCheck plan_check;
  PlanTest plan_test;
  PlanBacktest plan_backtest;
  PlanDiff plan_diff;
  PlanApply plan_apply;
  PlanDrift plan_drift;
  PlanExport plan_export;
  PlanShow plan_show;
  AlarmsList alarms_list;
  AlarmsWatch alarms_watch;
  AlarmsAck alarms_ack;
  AlarmsExplain alarms_explain;
  std::string explain_at;
  SourceWords played;
  RemediationsList remediations_list;
  RemediationsShow remediations_show;
  RemediationsApprove remediations_approve;
  RemediationsDeny remediations_deny;
  struct {
    std::vector<std::string> samples;
    std::vector<std::string> labels;
    std::string service, kind = "gauge", unit, every, time;
    std::uint64_t count = 0;
  } send;
  DeploymentsReport report;
  ShowStatus status;
  Completion completion;

  std::optional<Command> command;
  std::string problem;  // set by a conversion that failed
};

CLI::App* Group(CLI::App& app, const std::string& name, const std::string& description) {
  CLI::App* group = app.add_subcommand(name, description);
  group->require_subcommand(1);
  return group;
}

// A command that runs: `member` is its part of the draft.
template <typename T>
CLI::App* Leaf(CLI::App& parent, const std::string& name, const std::string& description,
               Draft& draft, T Draft::*member) {
  CLI::App* leaf = parent.add_subcommand(name, description);
  leaf->callback([&draft, member] { draft.command = draft.*member; });
  return leaf;
}

void AddGlobals(CLI::App& app, Draft& d) {
  Globals& g = d.globals;
  app.add_option("--config", g.config, "Configuration file")->type_name("FILE");
  app.add_option("--ingest", g.ingest, "Address of ingest")->type_name("HOST:PORT");
  app.add_option("--evaluation", g.evaluation, "Address of rule-evaluation")
      ->type_name("HOST:PORT");
  app.add_option("--notifier", g.notifier, "Address of notifier")->type_name("HOST:PORT");
  app.add_option("--remediation", g.remediation, "Address of remediation")->type_name("HOST:PORT");
  app.add_option("--ca", g.ca, "Certificate authority of the servers (PEM)")->type_name("FILE");
  app.add_option("--cert", g.cert, "Your certificate (PEM)")->type_name("FILE");
  app.add_option("--key", g.key, "Your private key (PEM)")->type_name("FILE");
  app.add_option("--timeout", d.timeout, "How long one call may take, e.g. 5s (default 10s)")
      ->type_name("DURATION");
  app.add_flag("--json", g.json, "Print one JSON document instead of a table");
}

// What plans are played on.
void AddSource(CLI::App& leaf, Draft& d, PlayedSource& source) {
  leaf.add_option("--data", source.data, "Recorded incident (lines of JSON)")->type_name("FILE");
  leaf.add_option("--kafka", source.kafka, "In place of --data: the log of the samples itself")
      ->type_name("HOST:PORT");
  leaf.add_option("--from", d.played.from, "Of the log: from when on, RFC 3339 (default: all)")
      ->type_name("TIME");
  leaf.add_option("--to", d.played.to, "Of the log: until when, RFC 3339 (default: its end)")
      ->type_name("TIME");
  leaf.add_option("--last", d.played.last, "Of the log: so long before its end, e.g. 3d")
      ->type_name("DURATION");
}

// Here, by the engine that judges in the services.
void AddRehearsals(CLI::App& plan, Draft& d) {
  CLI::App* test =
      Leaf(plan, "test", "Run the tests of a plan here, without a server", d, &Draft::plan_test);
  test->add_option("FILE", d.plan_test.files, "Test files (YAML)")->required();
  CLI::App* backtest = Leaf(plan, "backtest", "What a plan would have told in a recorded incident",
                            d, &Draft::plan_backtest);
  backtest->add_option("PLAN", d.plan_backtest.plan, "Plan file (YAML)")->required();
  AddSource(*backtest, d, d.plan_backtest.source);
  backtest
      ->add_option("--expect", d.plan_backtest.expect,
                   "The pages that are expected (YAML); others leave with 1")
      ->type_name("FILE");
  CLI::App* diff =
      Leaf(plan, "diff", "What another plan would have told otherwise", d, &Draft::plan_diff);
  diff->add_option("OLD", d.plan_diff.before, "Plan file (YAML)")->required();
  diff->add_option("NEW", d.plan_diff.after, "Plan file (YAML)")->required();
  AddSource(*diff, d, d.plan_diff.source);
}

void AddPlan(CLI::App& app, Draft& d) {
  CLI::App* plan = Group(app, "plan", "Check, rehearse, apply and show plans");
  CLI::App* check =
      Leaf(*plan, "check", "Check a plan file here, without a service", d, &Draft::plan_check);
  check->add_option("FILE", d.plan_check.file, "Plan file (YAML)")->required();
  check->add_flag(
      "--live", d.plan_check.live,
      "Hold it against what the service sent: which alarms are blind, fire now, and how "
      "often");
  check
      ->add_option("--kafka", d.plan_check.source.kafka, "With --live: where the log of samples is")
      ->type_name("HOST:PORT");
  check
      ->add_option("--last", d.played.last,
                   "With --live: so long before the log's end, e.g. 1d (default: all that is kept)")
      ->type_name("DURATION");
  AddRehearsals(*plan, d);
  CLI::App* apply =
      Leaf(*plan, "apply", "Give a service a new version of its plan (role: operator)", d,
           &Draft::plan_apply);
  apply->add_option("FILE", d.plan_apply.file, "Plan file (YAML)")->required();
  apply
      ->add_option("--expect-version", d.plan_apply.expect_version,
                   "Refuse when the newest version is another one, and say who applied it; 0 = "
                   "there must be "
                   "no plan yet")
      ->type_name("N");
  CLI::App* drift = Leaf(*plan, "drift",
                         "How plan files differ in meaning from what is in force: leaves with 0 "
                         "when they do not, 1 when one does",
                         d, &Draft::plan_drift);
  drift->add_option("FILE", d.plan_drift.files, "Plan files (YAML)")->required();
  CLI::App* save = Leaf(*plan, "export", "The plan in force as a file, in canonical form", d,
                        &Draft::plan_export);
  save->add_option("SERVICE", d.plan_export.service, "Service")->required();
  save->add_option("--version", d.plan_export.version, "Version (default: the one in force)")
      ->type_name("N");
  CLI::App* show = Leaf(*plan, "show", "Show a service's plan, or list all", d, &Draft::plan_show);
  show->add_option("SERVICE", d.plan_show.service,
                   "Service; without it, newest version and the one in force of each");
  show->add_option("--version", d.plan_show.version, "Version (default: the newest)")
      ->type_name("N");
}

void AddAlarms(CLI::App& app, Draft& d) {
  CLI::App* alarms = Group(app, "alarms", "See, explain and acknowledge alarms");
  CLI::App* list = Leaf(*alarms, "list", "Alarms that are firing, without data or pending", d,
                        &Draft::alarms_list);
  list->add_option("--service", d.alarms_list.service, "Only this service")->type_name("S");
  list->add_flag("--all", d.alarms_list.all, "The quiet ones too");
  CLI::App* watch = Leaf(*alarms, "watch", "Open alarms, then each change, until Ctrl-C", d,
                         &Draft::alarms_watch);
  watch->add_option("--service", d.alarms_watch.service, "Only this service")->type_name("S");
  CLI::App* ack = Leaf(*alarms, "ack", "Take an alarm on (role: operator)", d, &Draft::alarms_ack);
  ack->add_option("ALARM", d.alarms_ack.alarm, "Alarm id, e.g. backend-api/error-rate")->required();
  CLI::App* explain =
      Leaf(*alarms, "explain", "Why an alarm is in its state", d, &Draft::alarms_explain);
  explain->add_option("ALARM", d.alarms_explain.alarm, "Alarm id")->required();
  explain
      ->add_option("--at", d.explain_at,
                   "Why it fired or did not at this time, RFC 3339: its log is replayed up to then")
      ->type_name("TIME");
}

void AddRemediations(CLI::App& app, Draft& d) {
  CLI::App* group = Group(app, "remediations", "See, approve and deny proposed remedies");
  CLI::App* list = Leaf(*group, "list", "Remediations, newest last", d, &Draft::remediations_list);
  list->add_flag("--open", d.remediations_list.open, "Only those that are not closed");
  CLI::App* show =
      Leaf(*group, "show", "One remediation with its history", d, &Draft::remediations_show);
  show->add_option("ID", d.remediations_show.id, "Id, or its first 4 or more characters")
      ->required();
  CLI::App* approve = Leaf(*group, "approve",
                           "Show exactly what will be done, ask, and approve it (role: approver)",
                           d, &Draft::remediations_approve);
  approve->add_option("ID", d.remediations_approve.id, "Id, or its first 4 or more characters")
      ->required();
  approve->add_flag("--yes", d.remediations_approve.yes, "Do not ask; needed without a terminal");
  CLI::App* deny =
      Leaf(*group, "deny", "Refuse a proposal (role: approver)", d, &Draft::remediations_deny);
  deny->add_option("ID", d.remediations_deny.id, "Id, or its first 4 or more characters")
      ->required();
  deny->add_option("--reason", d.remediations_deny.reason, "Why; kept in the audit log")
      ->required()
      ->type_name("TEXT");
}

// Text values of `send` to its command; a problem is left in the draft.
void BuildSend(Draft& d) {
  Send send;
  send.service = d.send.service;
  send.unit = d.send.unit;
  send.count = d.send.count;
  const auto take = [&d](auto result, auto& into) {
    if (result.ok()) {
      into = std::move(*result);
    } else if (d.problem.empty()) {
      d.problem = result.error().message;
    }
  };
  for (const std::string& text : d.send.samples)
    take(ParseSample(text), send.samples.emplace_back());
  for (const std::string& text : d.send.labels) take(ParseLabel(text), send.labels.emplace_back());
  take(ParseSampleKind(d.send.kind), send.kind);
  if (!d.send.every.empty()) take(ParseDuration(d.send.every), send.every);
  if (!d.send.time.empty()) take(ParseRfc3339(d.send.time), send.time_unix_ms.emplace());
  if (d.problem.empty() && !d.send.every.empty() && send.every.count() < 10) {
    d.problem = "--every: at least 10ms";
  }
  if (d.problem.empty() && send.count > 0 && send.every.count() == 0)
    d.problem = "--count needs --every";
  if (d.problem.empty() && send.time_unix_ms && send.every.count() > 0) {
    d.problem = "--time and --every exclude each other: with --every each sending is stamped now";
  }
  d.command = std::move(send);
}

void AddSend(CLI::App& app, Draft& d) {
  CLI::App* send = app.add_subcommand("send", "Send samples by hand (role: emitter)");
  send->add_option("METRIC=VALUE", d.send.samples, "Samples, e.g. http_request_count=120")
      ->required();
  send->add_option("--service", d.send.service, "Service that the samples belong to")
      ->required()
      ->type_name("S");
  send->add_option("--label", d.send.labels, "Label of every sample; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  send->add_option("--kind", d.send.kind, "gauge (default), delta or observation")
      ->type_name("KIND");
  send->add_option("--unit", d.send.unit, "UCUM unit, e.g. ms, %, By")->type_name("U");
  send->add_option("--every", d.send.every, "Send again after this time, e.g. 1s")
      ->type_name("DURATION");
  send->add_option("--count", d.send.count, "With --every: how often (default: until Ctrl-C)")
      ->type_name("N");
  send->add_option("--time", d.send.time, "Time of the samples, RFC 3339 (default: now)")
      ->type_name("TIME");
  send->callback([&d] { BuildSend(d); });
}

void AddOthers(CLI::App& app, Draft& d) {
  CLI::App* deployments = Group(app, "deployments", "Tell of changes to a service");
  CLI::App* report =
      Leaf(*deployments, "report",
           "Record a deployment; alarms show it as a change (role: emitter)", d, &Draft::report);
  report->add_option("--service", d.report.service, "Service that changed")
      ->required()
      ->type_name("S");
  report->add_option("--revision", d.report.revision, "Revision now running")
      ->required()
      ->type_name("R");
  report->add_option("--description", d.report.description, "For people, e.g. the image tag")
      ->required()
      ->type_name("D");
  CLI::App* status = Leaf(app, "status",
                          "Health and lag of all four services; leaves with 1 when some are not "
                          "ready, 3 when none answers",
                          d, &Draft::status);
  status->add_flag("--partitions", d.status.partitions, "Each partition too");
  status
      ->add_option("--only", d.status.only,
                   "One service: ingest, evaluation, notifier or remediation")
      ->type_name("SERVICE");
  CLI::App* completion =
      Leaf(app, "completion", "Print a completion script for your shell", d, &Draft::completion);
  completion->add_option("SHELL", d.completion.shell, "bash, zsh or fish")->required();
}

void BuildApp(CLI::App& app, Draft& d, const std::string& version) {
  app.require_subcommand(1);
  app.fallthrough();  // inherited: options of every command may stand after the command
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "liveopsctl " + version);
  app.footer(kFooter);
  AddGlobals(app, d);
  AddPlan(app, d);
  AddAlarms(app, d);
  AddRemediations(app, d);
  AddSend(app, d);
  AddOthers(app, d);
}

ParseOutcome UsageError(const std::string& message) {
  return {std::nullopt, kExitUsage, "", message + "\nTry --help.\n"};
}

// What the types of options cannot say.
void CheckDraft(Draft& d) {
  if (!d.problem.empty()) return;
  if (!d.timeout.empty()) {
    const Result<Duration> timeout = ParseDuration(d.timeout);
    if (!timeout.ok()) {
      d.problem = "--timeout: " + timeout.error().message;
    } else if (timeout->count() <= 0) {
      d.problem = "--timeout: it must be longer than 0";
    } else {
      d.globals.timeout = *timeout;
    }
  }
  const auto check = [&d](const char* what, const std::string& word, const char* choices) {
    const std::vector<std::string>& known = Choices().at(choices);
    if (!d.problem.empty() || std::find(known.begin(), known.end(), word) != known.end()) return;
    d.problem = fmt::format("unknown {} \"{}\"{}", what, word, Suggestion(word, known));
  };
  if (const auto* completion = std::get_if<Completion>(&*d.command)) {
    check("shell", completion->shell, "SHELL");
  }
  if (auto* explain = std::get_if<AlarmsExplain>(&*d.command); explain && !d.explain_at.empty()) {
    const Result<std::int64_t> at = ParseRfc3339(d.explain_at);
    if (at.ok()) explain->at_ms = *at;
    if (!at.ok() && d.problem.empty()) d.problem = "--at: " + at.error().message;
  }
  const auto source = [&d](PlayedSource& into, SourceUse use) {
    const Status read = ReadSource(d.played, use, into);
    if (d.problem.empty() && !read.ok()) d.problem = read.error().message;
  };
  if (auto* live = std::get_if<PlanCheck>(&*d.command)) {
    source(live->source, live->live ? SourceUse::kLive : SourceUse::kNone);
  }
  if (auto* backtest = std::get_if<PlanBacktest>(&*d.command))
    source(backtest->source, SourceUse::kBacktest);
  if (auto* diff = std::get_if<PlanDiff>(&*d.command)) source(diff->source, SourceUse::kDiff);
  if (const auto* status = std::get_if<ShowStatus>(&*d.command)) {
    if (!status->only.empty()) check("service", status->only, "--only");
  }
  if (const auto* show = std::get_if<PlanShow>(&*d.command)) {
    if (show->service.empty() && show->version != 0)
      d.problem = "plan show: --version needs a SERVICE";
  }
}

}  // namespace

ParseOutcome Parse(const std::vector<std::string>& args, const std::string& version) {
  Draft draft;
  CLI::App app("The operator's command line of LiveOps.", "liveopsctl");
  BuildApp(app, draft, version);
  try {
    std::vector<std::string> reversed(args.rbegin(),
                                      args.rend());  // CLI11 takes them from the back
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, kExitOk, app.help(), ""};
  } catch (const CLI::CallForVersion&) {
    return {std::nullopt, kExitOk, "liveopsctl " + version + "\n", ""};
  } catch (const CLI::ParseError& error) {
    return UsageError(UsageMessage(app, error));
  }
  CheckDraft(draft);
  if (!draft.problem.empty()) return UsageError("liveopsctl: " + draft.problem);
  return {Invocation{std::move(draft.globals), std::move(*draft.command)}, kExitOk, "", ""};
}

CommandNode DescribeCommands() {
  Draft draft;
  CLI::App app("The operator's command line of LiveOps.", "liveopsctl");
  BuildApp(app, draft, "");
  return Describe(app);
}

}  // namespace liveops::ctl
