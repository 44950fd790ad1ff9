#include <vector>

#include "services/liveopsctl/log/log_lines.h"
#include "services/liveopsctl/render/logs.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

constexpr Duration kWait{100};

}  // namespace

int RunLogs(Session& session, const Logs& command) {
  // Before the first connection: its threads must not get the signals.
  const std::unique_ptr<Interrupt> interrupt = session.world().interrupts();
  const std::optional<kafka::ClientConfig> config = KafkaOf(session, command.kafka);
  if (!config) return kExitUsage;
  auto ports = session.world().open_kafka(*config, session.timeout());
  if (!ports.ok()) return session.Fail(ports.error());
  auto opened = LogLines::Open(std::move(*ports), {command.service, command.level, command.match},
                               session.timeout());
  if (!opened.ok()) return session.Fail(opened.error());
  LogLines& lines = *opened;
  std::ostream& out = session.world().out;
  const auto show = [&](const std::vector<v1::LogRecord>& some) {
    for (const v1::LogRecord& line : some) {
      const std::int64_t time_ms = ToMs(lines.time_map().ToReal(InstantFromMs(line.time_ms())));
      out << (session.json() ? LineJson(line, time_ms) : RenderLine(line, time_ms));
    }
    out << std::flush;
  };
  const auto last = lines.Last(command.last);
  if (!last.ok()) return session.Fail(last.error());
  show(*last);
  if (!lines.whole())
    session.Warn("older lines were not looked through; what fits may stand there, too");
  if (!command.follow && last->empty() && lines.whole())
    session.Warn("no line that fits is kept of \"" + command.service + "\"");
  while (command.follow && out.good() && !interrupt->WaitFor(Duration(0))) {
    const auto more = lines.Next(kWait);
    if (!more.ok()) return session.Fail(more.error());
    show(*more);
  }
  return kExitOk;
}

}  // namespace liveops::ctl
