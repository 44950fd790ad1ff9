#include "services/liveopsctl/render/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/time.h"
#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

std::int64_t LagOf(const v1::PartitionStatus& p) {
  if (p.position() < 0 || p.end_offset() < 0) return 0;
  return std::max<std::int64_t>(0, p.end_offset() - p.position());
}

Cell Connected(bool yes) { return yes ? Cell("yes", Tone::kGood) : Cell("NO", Tone::kBad); }

std::vector<Cell> ReportRow(const ServiceReport& r) {
  if (!r.answered) {
    return {r.service, r.address, {r.address.empty() ? "no address" : "NO ANSWER", Tone::kBad},
            "",        "",        "",
            "",        "",        "",
            r.error};
  }
  const v1::GetStatusResponse& s = r.status;
  const int owned = static_cast<int>(std::count_if(s.partitions().begin(), s.partitions().end(),
                                                   [](const auto& p) { return p.owned(); }));
  const std::int64_t lag = Lag(s);
  std::string detail = s.detail();
  if (s.domain_speed() != 0 && s.domain_speed() != 1) {
    detail +=
        fmt::format("{}time runs {:g} times as fast", detail.empty() ? "" : "; ", s.domain_speed());
  }
  return {r.service,
          r.address,
          s.ready() ? Cell("ready", Tone::kGood) : Cell("NOT READY", Tone::kBad),
          s.version(),
          FormatElapsed(Duration(s.uptime_ms())),
          Connected(s.kafka_connected()),
          Connected(s.redis_connected()),
          std::to_string(owned),
          Cell(std::to_string(lag), lag > 0 ? Tone::kWarning : Tone::kPlain),
          detail};
}

}  // namespace

std::int64_t Lag(const v1::GetStatusResponse& status) {
  std::int64_t lag = 0;
  for (const v1::PartitionStatus& p : status.partitions()) lag += LagOf(p);
  return lag;
}

std::string RenderStatus(const std::vector<ServiceReport>& reports, bool partitions,
                         const Style& style) {
  Table table(
      {"SERVICE", "ADDRESS", "STATE", "VERSION", "UP", "KAFKA", "REDIS", "OWNED", "LAG", "REMARK"});
  for (const ServiceReport& report : reports) table.Row(ReportRow(report));
  std::string out = table.ToString(style);
  if (!partitions) return out;
  Table detail(
      {"SERVICE", "TOPIC", "PARTITION", "OWNED", "EPOCH", "POSITION", "END", "LAG", "CLOCK"});
  for (const ServiceReport& report : reports) {
    for (const v1::PartitionStatus& p : report.status.partitions()) {
      detail.Row({report.service, p.topic(), std::to_string(p.partition()),
                  p.owned() ? "yes" : "no", p.epoch() < 0 ? "" : std::to_string(p.epoch()),
                  std::to_string(p.position()), std::to_string(p.end_offset()),
                  std::to_string(LagOf(p)), Moment(p.clock_ms())});
    }
  }
  return out + "\n" + detail.ToString(style);
}

std::string StatusJson(const std::vector<ServiceReport>& reports) {
  const bool ready =
      std::all_of(reports.begin(), reports.end(), [](const auto& r) { return r.ready(); });
  std::string out = fmt::format("{{\"ready\":{},\"services\":[", ready);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const ServiceReport& r = reports[i];
    out += fmt::format(
        "{}{{\"service\":{},\"address\":{},\"answered\":{},\"ready\":{},\"lag\":{},\"error\":{},"
        "\"status\":{}}}",
        i == 0 ? "" : ",", JsonString(r.service), JsonString(r.address), r.answered, r.ready(),
        Lag(r.status), JsonString(r.error), r.answered ? MessageJson(r.status) : "null");
  }
  return out + "]}\n";
}

}  // namespace liveops::ctl
