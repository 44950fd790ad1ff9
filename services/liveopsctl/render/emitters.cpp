#include "services/liveopsctl/render/emitters.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

std::string Services(const v1::EmitterStatus& e) {
  std::string out;
  for (const std::string& service : e.services()) out += (out.empty() ? "" : ", ") + service;
  return out;
}

// What is wrong with what it sends, worst first.
std::string Remark(const v1::EmitterStatus& e) {
  std::string out;
  for (const v1::Rejection& r : e.rejections()) {
    out += fmt::format("{}{} {}{}{}", out.empty() ? "" : "; ", r.points(), r.reason(),
                       r.example().empty() ? "" : ": ", r.example());
  }
  if (e.over_rate_requests() > 0) {
    out += fmt::format("{}{} over its rate", out.empty() ? "" : "; ", e.over_rate_requests());
  }
  if (!e.last_problem().empty()) out += (out.empty() ? "" : "; ") + ("last: " + e.last_problem());
  return out;
}

}  // namespace

std::string RenderEmitters(const v1::ListEmittersResponse& response, const std::string& service,
                           const Style& style) {
  if (response.emitters_size() == 0 && !service.empty()) {
    return fmt::format(
        "nothing of {} was taken by {} since it started; who was refused is listed "
        "without --service\n",
        Printable(service), Printable(response.instance()));
  }
  if (response.emitters_size() == 0) {
    return fmt::format("nobody has sent anything to {} since it started\n",
                       Printable(response.instance()));
  }
  Table table({"IDENTITY", "EMITTER", "BY", "SERVICES", "POINTS/S", "ACCEPTED", "REFUSED",
               "REQUESTS REFUSED", "HEARD", "REMARK"});
  for (const v1::EmitterStatus& e : response.emitters()) {
    std::uint64_t refused = 0;
    for (const v1::Rejection& r : e.rejections()) refused += r.points();
    table.Row({e.identity(), e.emitter(), e.protocol(), Services(e), FormatNumber(e.points_per_s()),
               std::to_string(e.accepted_points()),
               Cell(std::to_string(refused), refused > 0 ? Tone::kBad : Tone::kPlain),
               Cell(std::to_string(e.refused_requests()),
                    e.refused_requests() > 0 ? Tone::kWarning : Tone::kPlain),
               FormatElapsed(Duration(e.heard_ms_ago())) + " ago", Remark(e)});
  }
  return fmt::format("to {}, since it started:\n", Printable(response.instance())) +
         table.ToString(style);
}

}  // namespace liveops::ctl
