#include <algorithm>
#include <thread>

#include "services/liveopsctl/render/status.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {

int RunStatus(Session& session, const ShowStatus& command) {
  const Settings* settings = session.LoadedSettings();
  if (settings == nullptr) return kExitUsage;
  if (settings->addresses.empty())
    return session.Usage(CheckSettings(*settings, Server::kIngest).error().message);
  const auto wanted = [&command](Server server) {
    return command.only.empty() || command.only == ServerKey(server);
  };
  std::vector<ServiceReport> reports;
  reports.reserve(std::size(kServers));  // the threads below hold references
  std::vector<std::pair<Server, ServiceReport*>> asked;
  for (const Server server : kServers) {
    if (!wanted(server)) continue;
    ServiceReport& report = reports.emplace_back();
    report.service = ServerName(server);
    const auto address = settings->addresses.find(server);
    if (address != settings->addresses.end()) report.address = address->second;
    if (const Status usable = CheckSettings(*settings, server); !usable.ok()) {
      // A missing address is one service's matter; a wrong identity is everybody's.
      if (!report.address.empty()) return session.Usage(usable.error().message);
      report.error = usable.error().message;
      continue;
    }
    asked.emplace_back(server, &report);
  }
  Backend& backend = session.backend();
  std::vector<std::thread> threads;  // at once: one that is away must not hold up the others
  for (const auto& [server, report] : asked) {
    threads.emplace_back([&backend, target = server, out = report] {
      Result<v1::GetStatusResponse> status = backend.GetStatus(target);
      out->answered = status.ok();
      if (status.ok()) {
        out->status = std::move(*status);
      } else {
        out->error = status.error().message;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  session.world().out << (session.json()
                              ? StatusJson(reports)
                              : RenderStatus(reports, command.partitions, session.style()));
  const bool ready =
      std::all_of(reports.begin(), reports.end(), [](const auto& r) { return r.ready(); });
  if (ready) return kExitOk;
  if (asked.empty()) return kExitUsage;  // what was wanted has no address
  const bool any =
      std::any_of(reports.begin(), reports.end(), [](const auto& r) { return r.answered; });
  return any ? kExitNo : kExitUnreachable;
}

}  // namespace liveops::ctl
