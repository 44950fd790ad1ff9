#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "deploy/local/stack/authority.h"
#include "deploy/local/stack/process.h"
#include "deploy/local/stack/yaml_text.h"

namespace liveops::stack {

enum class Service { kIngest, kRuleEvaluation, kNotifier, kRemediation };
inline constexpr Service kServices[] = {Service::kIngest, Service::kRuleEvaluation,
                                        Service::kNotifier, Service::kRemediation};
const char* ServiceName(Service service);  // "rule-evaluation"
const char* BinaryName(Service service);   // "liveops-rule-evaluation"

// How one replica is run.
struct ServiceSpec {
  Service service = Service::kIngest;
  std::string instance;  // "notifier-0"
  std::string binary;    // path
  std::string dir;       // its configuration, port file and log lie here, named by the instance
  Identity identity;     // its certificate
  std::string ca_file;
  int port = 0;          // mTLS, on 127.0.0.1; kept over restarts
  int plain_port = 0;    // 0 = none
  int http_port = 0;     // plain, of ingest's HTTP listener; 0 = none
  int metrics_port = 0;  // of /metrics; 0 = none
  Settings settings;     // everything else of the configuration file, by dotted key
};

// One replica of a service. Not thread-safe.
class ServiceProcess {
 public:
  // Writes the configuration and starts the binary; does not wait.
  static Result<std::unique_ptr<ServiceProcess>> Start(ServiceSpec spec);

  // Until it wrote its port file and its gRPC health says SERVING. kUnavailable: it ended or
  // `timeout` passed; with the tail of its log.
  Status WaitServing(Duration timeout);
  // One look at its health.
  bool Serving();

  const ServiceSpec& spec() const { return spec_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(spec_.port); }
  std::string plain_address() const;  // "" when there is none
  std::string http_address() const;   // likewise
  std::string metrics_address() const;
  const std::string& log_file() const { return log_file_; }
  ChildProcess& process() { return *process_; }

  // Changes keys of its configuration; they count from the next start.
  void Configure(const Settings& changes);
  void Stop(Duration grace = Duration(10'000));
  void Kill();      // SIGKILL
  Status Launch();  // after Stop or Kill; on the same ports; does not wait

 private:
  explicit ServiceProcess(ServiceSpec spec);

  ServiceSpec spec_;
  std::string config_file_;
  std::string port_file_;
  std::string log_file_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace liveops::stack
