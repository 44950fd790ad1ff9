#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <variant>

#include "common/base/text.h"
#include "common/plan/parse.h"
#include "services/liveopsctl/log/log_tail.h"
#include "services/liveopsctl/render/samples.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

constexpr Duration kWait{100};
constexpr int kHintAfter = 100;  // waits and records without a sample
constexpr std::size_t kNamesMax = 1000;

// Picks the samples that were asked for out of the log, and remembers what else there was.
class Picker {
 public:
  Picker(const Tail& wanted, const TimeMap& map) : wanted_(wanted), map_(map) {}

  // f(TailedSample) for each; false = enough.
  template <typename F>
  bool Pick(const engine::RecordView& record, F f) {
    const auto* batch = std::get_if<engine::BatchView>(&record.body);
    if (batch == nullptr || batch->service != wanted_.service) return true;
    names_.clear();
    names_.resize(batch->series.size());
    for (std::size_t i = 0; i < batch->series.size(); ++i) names_[i] = Of(batch->series[i]);
    const auto send = [&](std::uint32_t series, std::int64_t delta, std::uint64_t duration,
                          double value, std::optional<std::uint64_t> count) {
      if (series >= names_.size() || !names_[series]) return true;
      TailedSample& s = *names_[series];
      s.time_ms = ToMs(map_.ToReal(InstantFromMs(batch->base_time_ms + delta)));
      s.append_ms = ToMs(record.append_time);
      s.value = value;
      s.count = count;
      s.duration_ms = duration;
      return f(s);
    };
    for (std::size_t i = 0; i < batch->point_series.size(); ++i) {
      const std::uint64_t duration =
          batch->point_duration_ms.empty() ? 0 : batch->point_duration_ms[i];
      if (!send(batch->point_series[i], batch->point_time_delta_ms[i], duration,
                batch->point_value[i], std::nullopt)) {
        return false;
      }
    }
    for (const engine::HistogramView& h : batch->histograms) {
      if (!send(h.series, h.time_delta_ms, h.duration_ms, h.sum, h.count)) return false;
    }
    return true;
  }

  // Why nothing came so far.
  std::string Hint() const {
    if (others_.empty()) {
      return fmt::format("nothing of the service \"{}\" came so far", wanted_.service);
    }
    if (others_.contains(wanted_.metric)) {
      return fmt::format("\"{}\" comes, but no series of it has the labels", wanted_.metric);
    }
    const std::vector<std::string> known(others_.begin(), others_.end());
    return fmt::format("no \"{}\" came so far, but {} other metric{} of \"{}\"{}", wanted_.metric,
                       known.size(), known.size() == 1 ? "" : "s", wanted_.service,
                       Suggestion(wanted_.metric, known));
  }

 private:
  std::optional<TailedSample> Of(const engine::SeriesView& series) {
    if (others_.size() < kNamesMax) others_.emplace(series.metric);
    if (series.metric != wanted_.metric) return std::nullopt;
    TailedSample out;
    out.kind = static_cast<v1::SeriesKind>(series.kind);
    out.metric = series.metric;
    out.unit = series.unit;
    out.labels = Labels::Decode(series.labels).value_or(Labels());
    const bool all = std::all_of(wanted_.labels.begin(), wanted_.labels.end(), [&](const auto& l) {
      const std::string* value = out.labels.Find(l.first);
      return value != nullptr && *value == l.second;
    });
    return all ? std::optional(std::move(out)) : std::nullopt;
  }

  const Tail& wanted_;
  const TimeMap& map_;
  std::set<std::string> others_;
  std::vector<std::optional<TailedSample>> names_;  // of the record's series that were asked for
};

// What the plan in force says; 1 where there is none, or nobody to ask.
int SpreadOf(Session& session, const std::string& service) {
  const Settings* settings = session.LoadedSettings();
  if (settings == nullptr || !settings->addresses.contains(Server::kEvaluation)) return 1;
  if (!CheckSettings(*settings, Server::kEvaluation)) return 1;
  v1::GetPlanRequest request;
  request.set_service(service);
  const Result<v1::GetPlanResponse> plan = session.backend().GetPlan(request);
  if (plan.ok()) return std::max(1, plan::Parse(plan->plan().text()).plan.spread);
  if (plan.error().code != ErrorCode::kNotFound) {
    session.Warn(plan.error().message +
                 "; should its plan spread the service over partitions, only a part is shown");
  }
  return 1;
}

}  // namespace

int RunTail(Session& session, const Tail& command) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  const std::optional<kafka::ClientConfig> config = KafkaOf(session, command.kafka);
  if (!config) return kExitUsage;
  const int spread = SpreadOf(session, command.service);
  auto ports = session.world().open_kafka(*config, session.timeout());
  if (!ports.ok()) return session.Fail(ports.error());
  auto tail = LogTail::Open(std::move(*ports), command.service, spread, session.timeout());
  if (!tail.ok()) return session.Fail(tail.error());
  Picker picker(command, tail->time_map());
  std::ostream& out = session.world().out;
  std::uint64_t shown = 0;
  const auto show = [&](const TailedSample& sample) {
    out << (session.json() ? SampleJson(sample) : RenderSample(sample));
    return ++shown != command.count;
  };
  for (int rounds = 0; out.good() && !interrupt->WaitFor(Duration(0)); ++rounds) {
    const auto record = tail->Next(kWait);
    if (!record.ok()) return session.Fail(record.error());
    if (*record != nullptr) {
      const bool more = picker.Pick(**record, show);
      out << std::flush;
      if (!more) break;
    }
    if (shown == 0 && rounds == kHintAfter) session.Warn(picker.Hint());
  }
  return kExitOk;
}

}  // namespace liveops::ctl
