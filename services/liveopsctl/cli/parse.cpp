#include "services/liveopsctl/cli/parse.h"

#include <CLI/CLI.hpp>

#include "services/liveopsctl/cli/describe.h"
#include "services/liveopsctl/cli/draft.h"

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

// Of what runs here.
constexpr const char* kRehearsalFooter =
    "No service of LiveOps is asked, and no certificate is needed. Where Kafka is read its address "
    "is --kafka\n"
    "or the key kafka of ~/.config/liveops/liveopsctl.yaml (or --config, or LIVEOPS_CONFIG).\n"
    "\n"
    "Exit codes:\n"
    "  0  done, and nothing is wrong\n"
    "  1  something is: a test failed, the pages are not those expected, there is nothing to look "
    "at; of\n"
    "     plan check also: the plan has problems, or an alarm of it rests on nothing\n"
    "  2  the command line or the configuration is wrong, or a file\n"
    "  3  Kafka could not be reached\n";

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
  test->footer(kRehearsalFooter);
  CLI::App* backtest =
      Leaf(plan, "backtest",
           "What a plan would have told in a recorded incident, or by the log of the samples", d,
           &Draft::plan_backtest);
  backtest->add_option("PLAN", d.plan_backtest.plan, "Plan file (YAML)")->required();
  AddSource(*backtest, d, d.plan_backtest.source);
  backtest
      ->add_option("--expect", d.plan_backtest.expect,
                   "The pages that are expected (YAML); others leave with 1")
      ->type_name("FILE");
  backtest->footer(kRehearsalFooter);
  CLI::App* diff =
      Leaf(plan, "diff", "What another plan would have told otherwise", d, &Draft::plan_diff);
  diff->add_option("OLD", d.plan_diff.before, "Plan file (YAML)")->required();
  diff->add_option("NEW", d.plan_diff.after, "Plan file (YAML)")->required();
  AddSource(*diff, d, d.plan_diff.source);
  diff->footer(kRehearsalFooter);
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
  check->footer(kRehearsalFooter);
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
      ->add_option("--kafka", d.alarms_explain.kafka,
                   "Where traces of what it is about are looked up")
      ->type_name("HOST:PORT");
  explain
      ->add_option("--at", d.explain_at,
                   "Why it fired or did not at this time, RFC 3339: its log is replayed up to then")
      ->type_name("TIME");
}

void AddSlos(CLI::App& app, Draft& d) {
  CLI::App* slos = Group(app, "slos", "See service level objectives");
  CLI::App* list = Leaf(*slos, "list", "Objectives, and what is left of their error budgets", d,
                        &Draft::slos_list);
  list->add_option("--service", d.slos_list.service, "Only this service")->type_name("S");
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

void AddSamples(CLI::App& app, Draft& d) {
  CLI::App* tail = Leaf(app, "tail", "Samples of a metric as they arrive, from Kafka, until Ctrl-C",
                        d, &Draft::tail);
  tail->add_option("METRIC", d.tail.metric, "Metric, e.g. http_request_count")->required();
  tail->add_option("--service", d.tail.service, "Service that it belongs to")
      ->required()
      ->type_name("S");
  tail->add_option("--label", d.tail_labels, "Only series with this label; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  tail->add_option("--count", d.tail.count, "So many samples, then the end")->type_name("N");
  tail->add_option("--kafka", d.tail.kafka, "Where the log of samples is")->type_name("HOST:PORT");
  CLI::App* logs =
      Leaf(app, "logs", "The last log lines of a service, from Kafka", d, &Draft::logs);
  logs->add_option("SERVICE", d.logs.service, "Service that wrote them")->required();
  logs->add_option("--level", d.logs_level,
                   "Only of this level or worse: trace, debug, info, warn, error, fatal")
      ->type_name("LEVEL");
  logs->add_option("--match", d.logs.match,
                   "Only lines with this text; * stands for any characters")
      ->type_name("TEXT");
  logs->add_option("--last", d.logs.last, "So many lines (default 100)")->type_name("N");
  logs->add_flag("--follow", d.logs.follow, "Then what comes, until Ctrl-C");
  logs->add_option("--kafka", d.logs.kafka, "Where the log of lines is")->type_name("HOST:PORT");
  CLI::App* emitters =
      Leaf(app, "emitters", "Who sends to an ingest, how much, and what was refused", d,
           &Draft::emitters);
  emitters->add_option("--service", d.emitters.service, "Only those that write this service")
      ->type_name("S");
  CLI::App* spans =
      Leaf(app, "spans", "The slowest spans of a service in the last minutes", d, &Draft::spans);
  spans->add_option("SERVICE", d.spans.service, "Service that they belong to")->required();
  spans->add_option("--operation", d.spans.operation, "Only of this operation, e.g. 'GET /games'")
      ->type_name("OP");
  spans->add_option("--slowest", d.spans.slowest, "So many of each operation (default and most: 5)")
      ->type_name("N");
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
  CLI::App* decommission =
      Leaf(app, "decommission",
           "Tell that a part of a service has stopped for good: its silence is no loss (role: "
           "emitter)",
           d, &Draft::decommission);
  decommission->add_option("SERVICE", d.decommission.service, "Service whose part stopped")
      ->required();
  decommission
      ->add_option("--label", d.decommission_labels,
                   "Label that its series have, e.g. instance=i-7; may be repeated: all of them")
      ->required()
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  decommission->add_option("--reason", d.decommission.reason, "For people, e.g. scale-in")
      ->type_name("TEXT");
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
  AddSlos(app, d);
  AddRemediations(app, d);
  AddSend(app, d);
  AddSamples(app, d);
  AddOthers(app, d);
}

ParseOutcome UsageError(const std::string& message) {
  return {std::nullopt, kExitUsage, "", message + "\nTry --help.\n"};
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
