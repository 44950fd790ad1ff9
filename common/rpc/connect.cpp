#include <grpc/grpc.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "common/rpc/files.h"
#include "common/rpc/server.h"

namespace liveops::rpc {
namespace {

constexpr int kMessageBytesMax = 64 << 20;  // answers may list much
constexpr int kKeepaliveMs = 60'000;        // servers of ours allow one in 20 s

// A channel whose every call fails with this sentence.
std::shared_ptr<grpc::Channel> BrokenChannel(const std::string& address, const std::string& why) {
  return grpc::CreateChannelInternal(
      address,
      grpc_lame_client_channel_create(address.c_str(), GRPC_STATUS_INVALID_ARGUMENT, why.c_str()),
      {});
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const TlsFiles& tls) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  if (tls.empty()) {
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  const Result<TlsContents> contents = ReadTlsFiles(tls);
  if (!contents) return BrokenChannel(address, contents.error().message);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = contents->ca;
  options.pem_cert_chain = contents->cert;
  options.pem_private_key = contents->key;
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

}  // namespace liveops::rpc
