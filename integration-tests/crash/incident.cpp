#include "integration-tests/crash/incident.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "deploy/local/stack/workload_process.h"
#include "integration-tests/crash/slack_messages.h"

namespace liveops::integration {
namespace {

constexpr const char* kBadImage = "backend-api:2.4.0";
constexpr const char* kGoodImage = "backend-api:2.3.1";
constexpr const char* kScenario = "api-error-surge";
const std::set<std::string> kPages = {"error-rate-critical", "latency-critical"};

std::string PageOf(const stack::LedgerEntry& entry) {
  for (const std::string& page : kPages) {
    if (entry.body.find(page) != std::string::npos) return page;
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<Incident>> Incident::Start(const std::string& name, double speed) {
  std::unique_ptr<Incident> incident(new Incident);
  incident->dir_ =
      std::filesystem::temp_directory_path() / fmt::format("liveops-crash-{}-{}", name, getpid());
  stack::StackOptions options;
  options.data_dir = incident->dir_;
  options.domain_speed = speed;
  options.slack_messages_per_second = 0;
  // A successor reads an unfinished effect back only after the tool's time-out.
  options.settings[stack::Service::kRemediation]["kubectl.timeout"] = "3s";
  auto made = stack::Stack::Start(std::move(options));
  if (!made.ok()) return made.error();
  incident->stack_ = std::move(*made);
  stack::Stack& stack = *incident->stack_;
  const stack::Identity& viewer = stack.person("viewer-1");
  incident->api_ = std::make_unique<sandbox::Api>(
      stack.service(stack::Service::kRuleEvaluation).address(),
      stack.service(stack::Service::kRemediation).address(),
      rpc::TlsFiles{stack.authority().ca_file(), viewer.cert, viewer.key});
  auto applied = stack.Ctl(
      "operator-1",
      {"plan", "apply", std::string(LIVEOPS_SOURCE_DIR) + "/deploy/plans/backend-api.yaml"});
  if (!applied.ok()) return applied.error();
  if (!applied->status.clean()) return InternalError("plan apply: " + applied->err + applied->out);

  auto started = stack::StartWorkload(stack, {});
  if (!started.ok()) return started.error();
  incident->workload_ = std::move(*started);
  // Two domain minutes of quiet traffic: the windows are whole.
  std::this_thread::sleep_for(stack.time_map().ToReal(Duration(120'000)));
  incident->started_ = true;
  return incident;
}

Incident::~Incident() {
  approver_.reset();
  workload_.reset();
  stack_.reset();
  if (!started_ || testing::Test::HasFailure() || getenv("LIVEOPS_KEEP") != nullptr) {
    fmt::print("The logs and the ledger are kept in {}\n", dir_);
    return;
  }
  std::error_code error;
  std::filesystem::remove_all(dir_, error);
  std::filesystem::remove(dir_ + ".lock", error);
}

Status Incident::Await(const std::string& what, Duration timeout,
                       const std::function<bool()>& reached) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (reached()) return {};
    std::this_thread::sleep_for(Duration(50));
  }
  return TimeoutError(fmt::format("{} did not happen within {}", what, FormatElapsed(timeout)));
}

Status Incident::RollOut() { return stack_->cluster().SetImage("backend-api", kBadImage); }

Status Incident::AwaitFirstRequest() {
  return Await("a page at a provider", Duration(60'000), [&] {
    auto ledger = stack_->sink().Ledger();
    return ledger.ok() && !ledger->empty();
  });
}

Status Incident::AwaitPages() {
  return Await("both pages in PagerDuty and Slack", Duration(60'000), [&] {
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return false;
    std::set<std::string> slack;
    std::set<std::string> pagerduty;
    for (const stack::LedgerEntry& entry : *ledger) {
      const std::string page = PageOf(entry);
      if (page.empty() || entry.effect.empty()) continue;
      (entry.provider == "slack" ? slack : pagerduty).insert(page);
    }
    return slack == kPages && pagerduty == kPages;
  });
}

const sandbox::RemediationView* Incident::Proposal() {
  auto all = api_->Remediations();
  if (!all.ok()) return nullptr;
  remediations_ = std::move(*all);
  for (const sandbox::RemediationView& view : remediations_) {
    if (view.scenario == kScenario) return &view;
  }
  return nullptr;
}

Status Incident::AwaitProposal() {
  return Await("a proposal", Duration(60'000), [&] { return Proposal() != nullptr; });
}

Status Incident::Approve() {
  return Await("the approval", Duration(30'000), [&] {
    const sandbox::RemediationView* proposal = Proposal();
    if (proposal == nullptr) return false;
    auto outcome = stack_->Ctl("approver-1", {"remediations", "approve", proposal->id, "--yes"});
    return outcome.ok() && outcome->status.clean();
  });
}

Status Incident::ApproveUntil(LogWatch& watch) {
  Status trouble;
  Status reached = Await("the record of what follows the approval", Duration(60'000), [&] {
    if (!approver_ || (!approver_->running() && !approver_->Wait(Duration(0))->clean())) {
      const sandbox::RemediationView* proposal = Proposal();
      if (proposal == nullptr) return false;
      stack::ProcessSpec spec;
      spec.name = "approver";
      spec.argv = {stack_->Binary("liveopsctl"),
                   "--config",
                   stack_->ctl_config("approver-1"),
                   "remediations",
                   "approve",
                   proposal->id,
                   "--yes"};
      spec.log_file = stack_->Path("approver.log");
      auto spawned = stack::ChildProcess::Spawn(spec);
      if (!spawned.ok()) trouble = spawned.error();
      if (!spawned.ok()) return true;
      approver_ = std::move(*spawned);
    }
    auto seen = watch.Seen(Duration(100));
    if (!seen.ok()) trouble = seen.error();
    return !seen.ok() || *seen;
  });
  return trouble.ok() ? reached : trouble;
}

Status Incident::AwaitRecord(LogWatch& watch) {
  auto seen = watch.Seen(Duration(60'000));
  if (!seen.ok()) return seen.error();
  if (!*seen) return TimeoutError("no such record within 60 s");
  return {};
}

Status Incident::AwaitIntent() {
  return Await("the executor's intent", Duration(30'000), [&] {
    const sandbox::RemediationView* proposal = Proposal();
    return proposal != nullptr && (proposal->running || !proposal->effect.empty());
  });
}

Status Incident::AwaitEffect() {
  return Await("the rollback", Duration(60'000), [&] {
    auto state = stack_->cluster().Get("backend-api");
    return state.ok() && state->image == kGoodImage;
  });
}

Status Incident::AwaitRecordedEffect() {
  return Await("the record of the effect", Duration(60'000), [&] {
    const sandbox::RemediationView* proposal = Proposal();
    return proposal != nullptr && !proposal->effect.empty();
  });
}

Status Incident::AwaitVerified() { return AwaitOutcome("verified"); }

Status Incident::AwaitOutcome(const std::string& outcome) {
  std::string seen = "nothing";
  Status reached = Await("the outcome " + outcome, Duration(90'000), [&] {
    const sandbox::RemediationView* proposal = Proposal();
    if (proposal != nullptr && !proposal->outcome.empty())
      seen = proposal->outcome + " " + proposal->detail;
    return proposal != nullptr && proposal->outcome == outcome;
  });
  if (!reached.ok()) return TimeoutError(reached.error().message + "; it was: " + seen);
  return reached;
}

Result<std::string> Incident::AwaitAnyOutcome() {
  std::string outcome;
  Status reached = Await("an outcome", Duration(90'000), [&] {
    const sandbox::RemediationView* proposal = Proposal();
    if (proposal != nullptr) outcome = proposal->outcome;
    return !outcome.empty();
  });
  if (!reached.ok()) return reached.error();
  return outcome;
}

Status Incident::AwaitToldUnknown() {
  return Await("a word in Slack that the outcome is unknown", Duration(60'000), [&] {
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return false;
    for (const SlackMessage& message : PostedMessages(*ledger)) {
      const bool unknown =
          message.body.find("unknown: it may or may not have run, a person must look") !=
          std::string::npos;
      if (message.notice == "closed" && unknown) return true;
    }
    return false;
  });
}

Status Incident::RollBackByHand() { return stack_->cluster().SetImage("backend-api", kGoodImage); }

Status Incident::AwaitFirstResolve() {
  return Await("a resolve at PagerDuty", Duration(60'000), [&] {
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return false;
    for (const stack::LedgerEntry& entry : *ledger) {
      if (entry.kind == "resolve") return true;
    }
    return false;
  });
}

Status Incident::AwaitResolved() {
  return Await("the resolve of every alert", Duration(90'000), [&] {
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return false;
    std::map<std::string, bool> open;
    for (const stack::LedgerEntry& entry : *ledger) {
      if (entry.provider != "pagerduty" || entry.effect.empty()) continue;
      if (entry.kind == "trigger") open[entry.dedup_key] = true;
      if (entry.kind == "resolve") open[entry.dedup_key] = false;
    }
    std::map<std::string, bool> open_in_slack;
    for (const SlackMessage& message : PostedMessages(*ledger)) {
      if (message.notice == "firing") open_in_slack.try_emplace(message.alarm_id, true);
      if (message.notice == "resolved") open_in_slack[message.alarm_id] = false;
    }
    if (open.size() < kPages.size() || open_in_slack.size() < kPages.size()) return false;
    const auto is_open = [](const auto& alert) { return alert.second; };
    return std::none_of(open.begin(), open.end(), is_open) &&
           std::none_of(open_in_slack.begin(), open_in_slack.end(), is_open);
  });
}

Status Incident::SlowProviders(int requests, Duration delay) {
  for (const char* provider : {"slack", "pagerduty"}) {
    stack::Fault fault;
    fault.provider = provider;
    fault.count = requests;
    fault.delay = delay;
    fault.apply = true;
    if (Status s = stack_->sink().Inject(fault); !s.ok()) return s;
  }
  return {};
}

Status Incident::SlowCluster(Duration before, Duration after) {
  const std::string file = stack_->Path("cluster/state.json");
  auto text = stack::ReadFile(file);
  if (!text.ok()) return text.error();
  auto state = nlohmann::json::parse(*text);
  state["delay_ms"] = before.count();
  state["delay_after_ms"] = after.count();
  return stack::WriteFile(file, state.dump());
}

int Incident::Rollbacks() const {
  auto changes = stack_->cluster().Changes();
  if (!changes.ok()) return -1;
  int undone = 0;
  for (const std::string& change : *changes)
    undone += change.find("undo") != std::string::npos ? 1 : 0;
  return undone;
}

void Incident::Kill(stack::Service service) {
  killed_.insert(service);
  stack_->service(service).Kill();
}

Status Incident::Restart(stack::Service service) { return stack_->service(service).Launch(); }

Status Incident::KillAndRestart(stack::Service service, Duration down) {
  Kill(service);
  std::this_thread::sleep_for(down);
  return Restart(service);
}

std::vector<std::string> Incident::Breaches(int rollbacks) {
  auto ledger = stack_->sink().Ledger();
  if (!ledger.ok()) return {ledger.error().message};
  std::vector<std::string> breaches =
      SlackBreaches(*ledger, /*repeats=*/killed_.contains(stack::Service::kNotifier));
  std::map<std::string, int> opened;
  std::map<std::string, std::string> page_of_key;
  for (const stack::LedgerEntry& entry : *ledger) {
    for (const std::string& violation : entry.violations)
      breaches.push_back("contract: " + violation);
    if (entry.effect == "opened") {
      ++opened[entry.dedup_key];
      page_of_key[entry.dedup_key] = PageOf(entry);
    }
  }
  std::map<std::string, int> episodes;
  for (const auto& [key, count] : opened) {
    if (count != 1)
      breaches.push_back(fmt::format("{} alerts for one episode of {}", count, page_of_key[key]));
    ++episodes[page_of_key[key]];
  }
  for (const std::string& page : kPages) {
    if (episodes[page] != 1)
      breaches.push_back(fmt::format("{} has {} episodes in PagerDuty", page, episodes[page]));
  }
  if (const int undone = Rollbacks(); undone != rollbacks)
    breaches.push_back(fmt::format("{} rollbacks, not {}", undone, rollbacks));
  return breaches;
}

}  // namespace liveops::integration
