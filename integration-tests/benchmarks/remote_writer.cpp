#include "integration-tests/benchmarks/remote_writer.h"

#include <fmt/format.h>
#include <httplib.h>
#include <snappy.h>

#include <vector>

#include "common/base/time.h"
#include "remote_write_1.pb.h"

namespace liveops::bench {
namespace {

prometheus::WriteRequest Request(const RemoteWriterOptions& options, int first) {
  prometheus::WriteRequest request;
  for (int i = first; i < first + options.points; ++i) {
    auto& series = *request.add_timeseries();
    const auto add = [&](std::string_view name, std::string_view value) {
      auto& label = *series.add_labels();
      label.set_name(std::string(name));
      label.set_value(std::string(value));
    };
    add("__name__", "http_requests");
    for (const auto& [name, value] : options.labels(i)) add(name, value);
    add("job", options.service);
    series.add_samples()->set_value(i * 0.37);
  }
  return request;
}

}  // namespace

Status WriteRemotely(const RemoteWriterOptions& options, const std::atomic<bool>& stop,
                     std::atomic<std::uint64_t>& answered) {
  std::vector<prometheus::WriteRequest> requests;
  for (int first = 0; first < options.series; first += options.points)
    requests.push_back(Request(options, first));
  httplib::Client client("http://" + options.address);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  const httplib::Headers headers = {{"Content-Encoding", "snappy"},
                                    {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  std::string block;
  for (std::size_t n = 0; !stop; ++n) {
    prometheus::WriteRequest& request = requests[n % requests.size()];
    const std::int64_t now_ms = ToMs(WallClockNow());
    for (auto& series : *request.mutable_timeseries())
      series.mutable_samples(0)->set_timestamp(now_ms);
    const std::string message = request.SerializeAsString();
    snappy::Compress(message.data(), message.size(), &block);
    const auto answer = client.Post("/api/v1/write", headers, block, "application/x-protobuf");
    if (!answer) return InternalError("a write failed: " + httplib::to_string(answer.error()));
    if (answer->status != 204)
      return InternalError(
          fmt::format("a write was answered {}: {}", answer->status, answer->body));
    answered += static_cast<std::uint64_t>(options.points);
  }
  return {};
}

}  // namespace liveops::bench
