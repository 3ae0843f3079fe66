class LambdaNatProxy < Formula
  desc "SOCKS5 and HTTP proxy with AWS Lambda functions for exits"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/lambda-nat-proxy_@VERSION@_darwin_arm64.tar.gz"
      sha256 "@SHA256_darwin_arm64@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/lambda-nat-proxy_@VERSION@_darwin_x64.tar.gz"
      sha256 "@SHA256_darwin_x64@"
    end
  end

  on_linux do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/lambda-nat-proxy_@VERSION@_linux_arm64.tar.gz"
      sha256 "@SHA256_linux_arm64@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/lambda-nat-proxy_@VERSION@_linux_x64.tar.gz"
      sha256 "@SHA256_linux_x64@"
    end
  end

  def install
    bin.install "lambda-nat-proxy"
    man1.install "man/lambda-nat-proxy.1"
    bash_completion.install "completions/lambda-nat-proxy.bash" => "lambda-nat-proxy"
    zsh_completion.install "completions/_lambda-nat-proxy"
    fish_completion.install "completions/lambda-nat-proxy.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/lambda-nat-proxy --version")
  end
end
