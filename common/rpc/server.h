#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace grpc {
class Service;
class ByteBuffer;
class ServerContextBase;
class Status;
class ChannelCredentials;
class Channel;
}  // namespace grpc

// gRPC servers and channels with mutual TLS and roles. The only third-party names that leave this
// folder are gRPC's own, since services implement its interfaces.
namespace liveops::rpc {

// What a certificate may do. Written in the certificate as URI names `liveops:role:<word>`; a
// person's or machine's name is its common name.
enum class Role { kEmitter, kViewer, kOperator, kApprover };
std::optional<Role> ParseRole(
    std::string_view word);  // "emitter", "viewer", "operator", "approver"
const char* RoleName(Role role);

struct Peer {
  std::string name;  // certificate's common name, or "local" on a plain loopback listener
  std::set<Role> roles;
  // Services whose metrics it may write, from URI names `liveops:service:<name>`; empty = any.
  std::set<std::string> services{};
};

// The one table of who may call what: full method name ("/liveops.v1.Alarms/ListAlarms") -> role.
// Operators and approvers may all that viewers may. Methods of grpc.health.v1 and grpc.reflection
// are open to every authenticated peer.
const std::map<std::string, Role>& RoleTable();

struct TlsFiles {
  std::string ca;  // PEM file paths
  std::string cert;
  std::string key;
  bool empty() const { return cert.empty(); }
};

struct ServerConfig {
  std::string address = "127.0.0.1:0";  // mTLS listener; "" = none
  TlsFiles tls;
  // A plain listener, for emitters alone; must be a loopback address. "" = none. Its peer is
  // {"local", {emitter}}.
  std::string plain_address;
  std::size_t message_bytes_max = 4u << 20;
  int connections_max = 1000;
};

// A running server. Health (grpc.health.v1) and reflection are registered on it. Thread-safe.
class Server {
 public:
  // kInvalid: an unlisted method, no TLS files for a TLS address, a plain address that is not
  // loopback. kUnavailable: the port is taken. `services` must outlive the server; those in
  // `plain_services` are also served on the plain listener, the others are not.
  static Result<std::unique_ptr<Server>> Start(
      const ServerConfig& config, const std::vector<grpc::Service*>& services,
      const std::vector<grpc::Service*>& plain_services = {});
  virtual ~Server() = default;  // Stop()

  virtual int port() const = 0;        // of the TLS listener; 0 when there is none
  virtual int plain_port() const = 0;  // 0 when there is none
  virtual void SetServing(bool serving) = 0;
  virtual void Stop(Duration grace) = 0;  // idempotent
};

// Who calls; valid inside a handler of a Server's service.
Peer PeerOf(const grpc::ServerContextBase& context);

// The one map from our errors to gRPC's codes. kUnavailable carries google.rpc.RetryInfo of
// `retry_after`.
grpc::Status ToGrpc(const Error& error, Duration retry_after = Duration(1000));

// The bytes of a message that a raw handler received, inflated when they are gzip (RFC 1952), in at
// most `bytes_max` of memory. A Server leaves compressed messages as they came, since gRPC 1.51
// would inflate them without a bound: a service that must take them (OTLP) reads them here; deflate
// is not offered. kInvalid: too large or not gzip.
Result<std::string> MessageBytes(const grpc::ByteBuffer& message, std::size_t bytes_max);

// Client side. An empty `tls` gives a plain channel (loopback emitters, tests).
std::shared_ptr<grpc::Channel> Connect(const std::string& address, const TlsFiles& tls);

}  // namespace liveops::rpc
