#include "integration-tests/crash/incident.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "deploy/local/stack/workload_process.h"

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
  return incident;
}

Incident::~Incident() {
  workload_.reset();
  stack_.reset();
  // What a failed test leaves is for its reader; the folder of a good one goes with it.
  if (std::uncaught_exceptions() == 0 && getenv("LIVEOPS_KEEP") == nullptr)
    std::filesystem::remove_all(dir_);
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
    if (open.size() < kPages.size()) return false;
    for (const auto& [key, is_open] : open) {
      if (is_open) return false;
    }
    return true;
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

Status Incident::KillAndRestart(stack::Service service, Duration down) {
  stack::ServiceProcess& process = stack_->service(service);
  process.Kill();
  std::this_thread::sleep_for(down);
  return process.Launch();
}

std::vector<std::string> Incident::Breaches() {
  std::vector<std::string> breaches;
  auto ledger = stack_->sink().Ledger();
  if (!ledger.ok()) return {ledger.error().message};
  std::map<std::string, int> opened;
  std::map<std::string, std::string> page_of_key;
  std::map<std::string, std::vector<std::string>> messages;  // Slack: by title
  for (const stack::LedgerEntry& entry : *ledger) {
    for (const std::string& violation : entry.violations)
      breaches.push_back("contract: " + violation);
    if (entry.effect == "opened") {
      ++opened[entry.dedup_key];
      page_of_key[entry.dedup_key] = PageOf(entry);
    }
    if (entry.provider == "slack" && entry.effect == "posted")
      messages[entry.title].push_back(entry.body);
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
  for (const auto& [title, bodies] : messages) {
    if (bodies.size() > 2)
      breaches.push_back(fmt::format("{} times in Slack: {}", bodies.size(), title));
    if (bodies.size() == 2 && bodies[1].find("repeat") == std::string::npos) {
      breaches.push_back("twice in Slack without saying that it may be a repeat: " + title);
    }
  }
  if (const int undone = Rollbacks(); undone != 1)
    breaches.push_back(fmt::format("{} rollbacks", undone));
  return breaches;
}

}  // namespace liveops::integration
