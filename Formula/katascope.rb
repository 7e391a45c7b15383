# Homebrew's formula: the release workflow fills in the version, the address and the checksum.
class Katascope < Formula
  desc "See what Kata Containers makes of pod annotations before a pod is started"
  homepage "@REPOSITORY@"
  url "@REPOSITORY@/archive/refs/tags/v@VERSION@.tar.gz"
  sha256 "@SHA256_SOURCE@"
  license "Apache-2.0"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"katascope", "completions")
    (man1/"katascope.1").write Utils.safe_popen_read(bin/"katascope", "man")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/katascope --version")
    # the embedded sample has pods that are refused
    assert_match "REFUSED", shell_output("#{bin}/katascope check", 1)
  end
end
