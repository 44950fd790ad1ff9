#include "common/rpc/server.h"

#include <google/protobuf/descriptor.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_initializer.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <mutex>

#include "common/base/text.h"
#include "common/rpc/certificate_names.h"
#include "common/rpc/files.h"
#include "common/rpc/listener.h"
#include "common/rpc/roles.h"
#include "common/telemetry/log.h"

namespace liveops::rpc {
namespace {

using ConnectionAcceptor = grpc::experimental::ExternalConnectionAcceptor;
using ConnectionType = grpc::ServerBuilder::experimental_type::ExternalConnectionType;

constexpr std::size_t kQuotaBytes = 128u << 20;
constexpr int kQuotaThreads = 64;

// The names in a peer's certificate, as gRPC's TLS handshake left them.
Peer PeerOfCertificate(const grpc::AuthContext& auth) {
  const auto names = auth.FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  const std::string_view name =
      names.empty() ? std::string_view() : std::string_view(names[0].data(), names[0].size());
  // URI names alone: the property with all alternative names does not tell a URI from a DNS name.
  std::vector<std::string> uris;
  for (const grpc::string_ref& uri : auth.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME))
    uris.emplace_back(uri.data(), uri.size());
  return PeerOfNames(name, uris);
}

std::string RoleWords(const std::set<Role>& roles) {
  std::string out;
  for (const Role role : roles) out += (out.empty() ? "" : ",") + std::string(RoleName(role));
  return out;
}

// Runs before any handler, for every call on a TLS listener.
class RoleGate final : public grpc::AuthMetadataProcessor {
 public:
  bool IsBlocking() const override { return false; }  // a look into two small tables

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* auth, OutputMetadata*,
                       OutputMetadata*) override {
    const auto path = metadata.find(":path");
    const std::string method =
        path == metadata.end() ? "" : std::string(path->second.data(), path->second.size());
    const Peer peer = PeerOfCertificate(*auth);
    const auto lacks =
        peer.name.empty() ? std::optional<std::string>("a name") : Lacks(method, peer.roles);
    if (!lacks) return grpc::Status::OK;
    log::Warn("call_denied", {{"peer", peer.name},
                              {"roles", RoleWords(peer.roles)},
                              {"method", Truncate(method, 200)},
                              {"role_wanted", *lacks}});
    return {grpc::StatusCode::PERMISSION_DENIED,
            *lacks == "unlisted method"
                ? "no such method is open to anyone"
                : "this certificate lacks the role for the method: " + *lacks};
  }
};

// A builder option whose only purpose is to bring plug-ins of this one server.
class PluginOption final : public grpc::ServerBuilderOption {
 public:
  explicit PluginOption(std::unique_ptr<grpc::ServerBuilderPlugin> plugin)
      : plugin_(std::move(plugin)) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::move(plugin_));
  }

 private:
  std::unique_ptr<grpc::ServerBuilderPlugin> plugin_;
};

// Reads the full names of the registered services, which grpc::Service itself does not tell.
class NamesPlugin final : public grpc::ServerBuilderPlugin {
 public:
  explicit NamesPlugin(std::vector<std::string>* names) : names_(names) {}
  std::string name() override { return "liveops-service-names"; }
  void InitServer(grpc::ServerInitializer* server) override { *names_ = *server->GetServiceList(); }
  void Finish(grpc::ServerInitializer*) override {}
  void ChangeArguments(const std::string&, void*) override {}

 private:
  std::vector<std::string>* names_;
};

void SetThreads(grpc::ServerBuilder& builder) {
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
}

// The services' names, by a server that listens nowhere.
Result<std::vector<std::string>> NamesOf(const std::vector<grpc::Service*>& services) {
  std::vector<std::string> names;
  grpc::ServerBuilder builder;
  SetThreads(builder);
  builder.SetOption(std::make_unique<PluginOption>(std::make_unique<NamesPlugin>(&names)));
  for (grpc::Service* service : services) builder.RegisterService(service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return InvalidError("the services cannot be registered together");
  server->Shutdown();
  return names;
}

Status CheckServices(const std::vector<grpc::Service*>& services, bool plain) {
  if (services.empty()) return {};
  const Result<std::vector<std::string>> names = NamesOf(services);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (IsOpenService(name)) continue;
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    if (!service)
      return InvalidError("the methods of service " + name +
                          " are not known: it has no descriptor");
    if (const Status s = CheckListed(*service); !s) return s;
    if (plain) {
      if (const Status s = CheckEmittersOnly(*service); !s) return s;
    }
  }
  return {};
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsContents& tls) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.ca;
  options.pem_key_cert_pairs.push_back({tls.key, tls.cert});
  auto credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<RoleGate>());
  return credentials;
}

void SetLimits(grpc::ServerBuilder& builder, const ServerConfig& config) {
  SetThreads(builder);
  grpc::ResourceQuota quota("liveops");
  quota.Resize(kQuotaBytes).SetMaxThreads(kQuotaThreads);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(config.message_bytes_max));
  // gRPC 1.51 inflates without a bound (4 MiB may become 4 GiB) and looks at the size afterwards.
  // Who takes compressed messages reads them by MessageBytes; to others they are malformed.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 15 * 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 3);
}

// One grpc::Server fed by an Acceptor.
struct Half {
  std::vector<std::string> names;
  std::unique_ptr<ConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
};

Result<std::unique_ptr<Half>> Build(const ServerConfig& config,
                                    const std::vector<grpc::Service*>& services,
                                    std::shared_ptr<grpc::ServerCredentials> credentials) {
  auto half = std::make_unique<Half>();
  grpc::ServerBuilder builder;
  SetLimits(builder, config);
  builder.SetOption(std::make_unique<PluginOption>(std::make_unique<NamesPlugin>(&half->names)));
  half->acceptor =
      builder.experimental().AddExternalConnectionAcceptor(ConnectionType::FROM_FD, credentials);
  for (grpc::Service* service : services) builder.RegisterService(service);
  half->server = builder.BuildAndStart();
  if (!half->server)
    return InvalidError("the server cannot start; are certificate and key a pair?");
  return half;
}

Acceptor::Take HandTo(ConnectionAcceptor* acceptor, int listen_fd) {
  return [acceptor, listen_fd](int fd) {
    ConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listen_fd;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  };
}

class RunningServer final : public Server {
 public:
  // Null halves where there is no such listener.
  RunningServer(std::unique_ptr<Half> tls, ListenSocket tls_socket, std::unique_ptr<Half> plain,
                ListenSocket plain_socket, int connections_max)
      : tls_(std::move(tls)),
        plain_(std::move(plain)),
        port_(tls_socket.port),
        plain_port_(plain_socket.port) {
    SetServing(false);
    std::vector<std::pair<ListenSocket, Acceptor::Take>> listeners;
    const auto add = [&](const std::unique_ptr<Half>& half, ListenSocket socket) {
      if (!half) return;
      const int fd = socket.fd;
      listeners.emplace_back(std::move(socket), HandTo(half->acceptor.get(), fd));
    };
    add(tls_, std::move(tls_socket));
    add(plain_, std::move(plain_socket));
    acceptor_ = std::make_unique<Acceptor>(std::move(listeners), connections_max);
  }
  ~RunningServer() override { Stop(Duration(1000)); }

  int port() const override { return port_; }
  int plain_port() const override { return plain_port_; }

  void SetServing(bool serving) override {
    for (const auto* half : {tls_.get(), plain_.get()}) {
      if (!half) continue;
      auto* const health = half->server->GetHealthCheckService();
      if (!health) continue;
      health->SetServingStatus("", serving);
      for (const std::string& name : half->names) health->SetServingStatus(name, serving);
    }
  }

  void Stop(Duration grace) override {
    const std::lock_guard lock(stop_mutex_);
    if (stopped_) return;
    stopped_ = true;
    acceptor_->Stop();
    const auto deadline =
        std::chrono::system_clock::now() + grace;  // gRPC's interface wants this clock
    for (auto* half : {tls_.get(), plain_.get()}) {
      if (half) half->server->Shutdown(deadline);
    }
  }

 private:
  std::unique_ptr<Half> tls_;
  std::unique_ptr<Half> plain_;
  const int port_;
  const int plain_port_;
  std::unique_ptr<Acceptor> acceptor_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerConfig& config,
                                              const std::vector<grpc::Service*>& services,
                                              const std::vector<grpc::Service*>& plain_services) {
  std::vector<grpc::Service*> all = services;
  for (grpc::Service* service : plain_services) {
    if (std::find(all.begin(), all.end(), service) == all.end()) all.push_back(service);
  }
  if (const Status s = CheckServices(all, false); !s) return s.error();
  if (const Status s = CheckServices(plain_services, true); !s) return s.error();
  if (config.address.empty() && config.plain_address.empty())
    return InvalidError("no address to listen on is given");

  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // in every server built from here
                                                                 // on
  });

  std::unique_ptr<Half> tls;
  std::unique_ptr<Half> plain;
  ListenSocket tls_socket;
  ListenSocket plain_socket;
  if (!config.address.empty()) {
    const Result<TlsContents> contents = ReadTlsFiles(config.tls);
    if (!contents) return contents.error();
    auto socket = Listen(config.address, false);
    if (!socket) return socket.error();
    tls_socket = *std::move(socket);
    auto half = Build(config, all, TlsCredentials(*contents));
    if (!half) return half.error();
    tls = *std::move(half);
  }
  if (!config.plain_address.empty()) {
    auto socket = Listen(config.plain_address, true);
    if (!socket) return socket.error();
    plain_socket = *std::move(socket);
    auto half = Build(config, plain_services, grpc::InsecureServerCredentials());
    if (!half) return half.error();
    plain = *std::move(half);
  }
  return std::unique_ptr<Server>(
      std::make_unique<RunningServer>(std::move(tls), std::move(tls_socket), std::move(plain),
                                      std::move(plain_socket), config.connections_max));
}

Peer PeerOf(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth) {
    for (const grpc::string_ref& type :
         auth->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME)) {
      if (type == GRPC_SSL_TRANSPORT_SECURITY_TYPE) return PeerOfCertificate(*auth);
    }
  }
  return {
      "local",
      {Role::kEmitter}};  // only the plain loopback listener lets anyone in without a certificate
}

}  // namespace liveops::rpc
