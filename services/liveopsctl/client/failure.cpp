#include "services/liveopsctl/client/failure.h"

#include <fmt/format.h>

#include <string_view>

namespace liveops::ctl {
namespace {

// Numbers of the gRPC status codes: fixed by the protocol.
enum Code {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

bool Mentions(std::string_view message, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (message.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7402: Socket closed" ->
// "Socket closed".
std::string LastError(const std::string& message) {
  static constexpr std::string_view kLead = "last error: ";
  const std::size_t at = message.find(kLead);
  if (at == std::string::npos) return message;
  std::string_view rest = std::string_view(message).substr(at + kLead.size());
  if (const std::size_t code = rest.find(": "); code != std::string_view::npos) {
    rest.remove_prefix(code + 2);
  }
  if (rest.starts_with("ipv")) {
    if (const std::size_t end = rest.find(": "); end != std::string_view::npos) {
      rest.remove_prefix(end + 2);
    }
  }
  return std::string(rest);
}

// The client library's own words (gRPC 1.51) when no connection came about; a server's UNAVAILABLE
// has other ones.
Error ExplainUnavailable(const CallSite& site, const std::string& where,
                         const std::string& message) {
  const std::string cause = LastError(message);
  const auto away = [&](std::string_view what) {
    return UnavailableError(fmt::format("cannot reach {}: {}", where, what));
  };
  // A server that cannot reach Redis or Kafka says so in its own words, which may be the same.
  const bool connecting = Mentions(message, {"failed to connect", "Failed to connect"});
  if (connecting && Mentions(cause, {"Connection refused"})) {
    return away("connection refused; is it running, and is the address right?");
  }
  if (Mentions(message, {"DNS resolution", "name resolution", "Name or service not known",
                         "Domain name not found"})) {
    return away("its host name is not known; check the address");
  }
  if (Mentions(cause, {"not in peer certificate"})) {
    return away(
        "its certificate is for another host name; use the name or address that it was made for");
  }
  if (Mentions(cause, {"certificate verify failed", "CERTIFICATE_VERIFY_FAILED"})) {
    return away("its certificate is expired or not signed by your authority; is ca the right one?");
  }
  if (Mentions(cause, {"empty address list"})) {
    return away("your certificate cannot be used; do cert and key belong together?");
  }
  if (Mentions(cause, {"ocket closed", "onnection reset", "Broken pipe", "ndpoint read failed",
                       "tream removed", "andshake", "GOAWAY", "SSL"})) {
    return away(fmt::format(
        "it closed the connection ({}); {}{}", cause,
        site.identified ? "is your certificate valid and signed by the authority that it trusts"
                        : "no certificate is configured (ca, cert, key), and it may insist on one",
        site.changes ? "; if it was under way, its effect is not known" : ""));
  }
  if (Mentions(message, {"failed to connect", "onnection attempt timed out"})) return away(cause);
  return UnavailableError(
      fmt::format("{} cannot serve this now: {}; try again shortly, `liveopsctl status` shows more",
                  where, message.empty() ? "no reason given" : message));
}

}  // namespace

Error ExplainFailure(const CallSite& site, int grpc_code, const std::string& message) {
  const std::string where = fmt::format("{} at {}", site.service, site.address);
  const std::string words = message.empty() ? "no reason given" : message;
  switch (grpc_code) {
    case kUnavailable:
      return ExplainUnavailable(site, where, message);
    case kDeadlineExceeded:
      return TimeoutError(fmt::format(
          "no answer from {} in time{}; `liveopsctl status` shows whether it is well, --timeout "
          "waits longer",
          where,
          site.changes ? ": whether it was done is not known, look before you repeat it" : ""));
    case kCancelled:
      return TimeoutError(fmt::format("the call to {} was cut off", where));
    case kResourceExhausted:
      return UnavailableError(fmt::format("{} has too much to do: {}", where, words));
    case kUnimplemented:
      return UnavailableError(fmt::format("{} does not know {}: is this the address of {}?", where,
                                          site.method, site.service));
    case kNotFound:
      return NotFoundError(words);
    case kPermissionDenied:
      return DeniedError(fmt::format("{} denies {}: {}; what you may do stands in your certificate",
                                     where, site.method, words));
    case kUnauthenticated:
      return DeniedError(fmt::format("{} does not know you: {}; give a certificate (ca, cert, key)",
                                     where, words));
    case kInvalidArgument:
    case kOutOfRange:
      return InvalidError(fmt::format("{} refuses the request: {}", where, words));
    case kFailedPrecondition:
    case kAborted:
    case kAlreadyExists:
      return ConflictError(words);
    default:
      return InternalError(fmt::format("{} failed: {} (gRPC code {})", where, words, grpc_code));
  }
}

}  // namespace liveops::ctl
