#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "common/runtime/exemplars.h"
#include "services/liveopsctl/log/log_lines.h"
#include "services/liveopsctl/progress.h"
#include "services/liveopsctl/render/alarms.h"
#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/spans.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

constexpr Duration kReconnectAfter{1000};

// Picks what is news to a person: the service tells every new value of every alarm, and a new
// stream begins with all open ones again.
class News {
 public:
  bool Is(const v1::AlarmStatus& alarm) {
    const Seen now{alarm.state(), alarm.severity(), alarm.episode_ms(), alarm.acknowledged_by()};
    const auto [at, is_first] = seen_.try_emplace(alarm.alarm_id(), now);
    if (is_first) return IsOpen(alarm.state());
    return std::exchange(at->second, now) != now;
  }

 private:
  using Seen = std::tuple<v1::AlarmState, v1::Severity, std::int64_t, std::string>;
  static bool IsOpen(v1::AlarmState state) {
    return state == v1::ALARM_STATE_FIRING || state == v1::ALARM_STATE_NO_DATA ||
           state == v1::ALARM_STATE_STALE || state == v1::ALARM_STATE_PENDING;
  }
  std::map<std::string, Seen> seen_;
};

}  // namespace

int RunAlarmsList(Session& session, const AlarmsList& command) {
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  v1::ListAlarmsRequest request;
  request.set_service(command.service);
  request.set_open_only(!command.all);
  const Result<v1::ListAlarmsResponse> response = backend->ListAlarms(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(*response, RenderAlarms(*response, !command.all, session.style()));
}

int RunSlosList(Session& session, const SlosList& command) {
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  v1::ListAlarmsRequest request;
  request.set_service(command.service);
  const Result<v1::ListAlarmsResponse> response = backend->ListAlarms(request);
  if (!response.ok()) return session.Fail(response.error());
  const v1::ListAlarmsResponse objectives = OfObjectives(*response);
  return session.Answer(objectives, RenderSlos(objectives, session.style()));
}

namespace {

// What stands beside an explanation, of an alarm that fires and where it is known where Kafka is;
// without it that is whole.
std::optional<std::vector<v1::Exemplar>> TracesOf(Session& session,
                                                  const v1::AlarmTransition& alarm,
                                                  const std::string& address) {
  constexpr std::size_t kMost = 5;
  const Settings* settings = session.LoadedSettings();
  if (alarm.state() != v1::ALARM_STATE_FIRING || settings == nullptr ||
      (address.empty() && settings->kafka.empty()))
    return std::nullopt;
  const auto read = [&]() -> Result<std::vector<v1::Exemplar>> {
    auto ports = session.world().open_kafka(*KafkaOf(session, address), session.timeout());
    if (!ports.ok()) return ports.error();
    auto lines = LogLines::Open(std::move(*ports), {alarm.service(), LogLevel::kUnknown, ""},
                                session.timeout());
    if (!lines.ok()) return lines.error();
    return lines->ExemplarsBetween(InstantFromMs(runtime::ExemplarsFrom(alarm)),
                                   InstantFromMs(runtime::ExemplarsUntil(alarm)));
  };
  const Result<std::vector<v1::Exemplar>> found = read();
  if (!found.ok()) {
    session.Warn("traces were not looked up: " + found.error().message);
    return std::nullopt;
  }
  return runtime::TellingExemplars(alarm, *found, kMost);
}

// `word`: the transition that is explained.
int Explain(Session& session, const google::protobuf::Message& answer, const std::string& text,
            const v1::AlarmTransition& word, const std::string& address) {
  const auto traces = TracesOf(session, word, address);
  if (!traces || !session.json())
    return session.Answer(answer, text + (traces ? RenderTraces(*traces, session.style()) : ""));
  session.world().out << WithField(MessageJson(answer), "traces", TracesJson(*traces)) << "\n";
  return kExitOk;
}

int ExplainAt(Session& session, const AlarmsExplain& command) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  Cancellation cancellation;
  interrupt->Bind([&cancellation] { cancellation.Cancel(); });
  ProgressLine line(session.world());
  v1::ExplainAlarmAtRequest request;
  request.set_alarm_id(command.alarm);
  request.set_at_ms(*command.at_ms);
  const Result<v1::PastAlarm> past = backend->ExplainAlarmAt(
      request,
      [&line](const v1::ReplayProgress& progress) {
        const auto all = static_cast<double>(std::max<std::uint64_t>(1, progress.records_all()));
        line.Show("replaying", static_cast<double>(progress.records()) / all);
      },
      cancellation);
  interrupt->Bind({});
  line.Clear();
  if (!past.ok()) return session.Fail(past.error());
  Explain(session, *past, RenderPast(*past, session.style()), past->before(), command.kafka);
  // Not known, not even by a word of the log before it: that moment was not explained.
  return past->has_alarm() || past->has_before() ? kExitOk : kExitNo;
}

}  // namespace

int RunAlarmsExplain(Session& session, const AlarmsExplain& command) {
  if (command.at_ms) return ExplainAt(session, command);
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  v1::ExplainAlarmRequest request;
  request.set_alarm_id(command.alarm);
  const Result<v1::ExplainAlarmResponse> response = backend->ExplainAlarm(request);
  if (!response.ok()) return session.Fail(response.error());
  return Explain(session, *response, RenderExplanation(*response, session.style()),
                 response->alarm().last_transition(), command.kafka);
}

int RunAlarmsAck(Session& session, const AlarmsAck& command) {
  Backend* backend = session.Open(Server::kNotifier);
  if (backend == nullptr) return kExitUsage;
  v1::AcknowledgeRequest request;
  request.set_alarm_id(command.alarm);
  const Result<v1::AcknowledgeResponse> response = backend->Acknowledge(request);
  if (!response.ok()) return session.Fail(response.error());
  return session.Answer(
      *response, response->already()
                     ? fmt::format("{} was already taken by {}\n", Printable(response->alarm_id()),
                                   Printable(response->by()))
                     : fmt::format("{} is yours, {}\n", Printable(response->alarm_id()),
                                   Printable(response->by())));
}

int RunAlarmsWatch(Session& session, const AlarmsWatch& command) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  // A first question with a time-out tells a wrong address from a service that goes away later.
  v1::ListAlarmsRequest first;
  first.set_service(command.service);
  first.set_open_only(true);
  const Result<v1::ListAlarmsResponse> open = backend->ListAlarms(first);
  if (!open.ok()) return session.Fail(open.error());
  if (open->alarms_size() == 0) session.Warn("no alarm is open; waiting for changes");
  Cancellation cancellation;
  interrupt->Bind([&cancellation] { cancellation.Cancel(); });
  v1::WatchAlarmsRequest request;
  request.set_service(command.service);
  std::ostream& out = session.world().out;
  News news;
  bool told = false;  // that the stream broke
  const auto print = [&](const v1::AlarmStatus& alarm) {
    told = false;
    if (!news.Is(alarm)) return true;
    out << (session.json() ? MessageJson(alarm) + "\n" : RenderAlarmLine(alarm, session.style()))
        << std::flush;
    return out.good();
  };
  int code = kExitOk;
  while (true) {
    const Status ended = backend->WatchAlarms(request, print, cancellation);
    if (ended.ok()) break;
    const bool away =
        ended.error().code == ErrorCode::kUnavailable || ended.error().code == ErrorCode::kTimeout;
    if (!away) {
      code = session.Fail(ended.error());
      break;
    }
    if (!told) session.Warn(ended.error().message + "; trying again until Ctrl-C");
    told = true;
    if (interrupt->WaitFor(kReconnectAfter)) break;
  }
  interrupt->Bind({});
  return code;
}

}  // namespace liveops::ctl
