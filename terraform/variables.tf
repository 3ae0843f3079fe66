# Written by `bun run synth` from cdktf/. Edit there.

variable "name" {
  type        = string
  description = "Name of the stack: the function, the role, the log group and the buckets are named after it. 3 to 38 characters: lower-case letters, digits and single dashes, a letter first."
  default     = "lambda-nat-proxy"
  nullable    = false

  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 38 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name))
    error_message = "name must have 3 to 38 characters: lower-case letters, digits and single dashes, a letter first, no dash last."
  }
}

variable "name_prefix" {
  type        = string
  description = "Prefix for the name of every resource, where an organisation requires one. The stack keeps its own name, by which the client finds it. Prefix and name together have 38 characters at most."
  default     = ""
  nullable    = false

  validation {
    condition     = var.name_prefix == "" || can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*-?$", var.name_prefix))
    error_message = "name_prefix must be lower-case letters, digits and single dashes, a letter first."
  }
}

variable "regions" {
  type        = set(string)
  description = "AWS regions to put an exit in. Empty: the one region that the provider is configured for."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "regions must be AWS region names, such as eu-central-1."
  }
}

variable "mode" {
  type        = string
  description = "How large the function is: test (128 MB, 120 s), normal (256 MB, 600 s) or performance (512 MB, 900 s)."
  default     = "normal"
  nullable    = false

  validation {
    condition     = contains(["test", "normal", "performance"], var.mode)
    error_message = "mode must be one of test, normal, performance."
  }
}

variable "memory_mb" {
  type        = number
  description = "Memory of the function in MB, 128 to 10240, in place of the mode's."
  default     = null
  nullable    = true

  validation {
    condition     = coalesce(var.memory_mb, 128) >= 128 && coalesce(var.memory_mb, 128) <= 10240 && floor(coalesce(var.memory_mb, 128)) == coalesce(var.memory_mb, 128)
    error_message = "memory_mb must be a whole number from 128 to 10240."
  }
}

variable "timeout_s" {
  type        = number
  description = "Longest life of a session in seconds, 30 to 900, in place of the mode's."
  default     = null
  nullable    = true

  validation {
    condition     = coalesce(var.timeout_s, 30) >= 30 && coalesce(var.timeout_s, 30) <= 900 && floor(coalesce(var.timeout_s, 30)) == coalesce(var.timeout_s, 30)
    error_message = "timeout_s must be a whole number from 30 to 900."
  }
}

variable "sessions" {
  type        = number
  description = "Sessions that all clients together keep open at once in each region. Used only to check reserved_concurrency."
  default     = 1
  nullable    = false

  validation {
    condition     = coalesce(var.sessions, 1) >= 1 && coalesce(var.sessions, 1) <= 5000 && floor(coalesce(var.sessions, 1)) == coalesce(var.sessions, 1)
    error_message = "sessions must be a whole number from 1 to 5000."
  }
}

variable "reserved_concurrency" {
  type        = number
  description = "Number of function instances that may run at once in each region: a cap on cost, taken from the account's concurrency. At least twice sessions, because each session is replaced by a new one before it ends. 0 stops all sessions; null sets no cap. 10 suits up to 5 sessions, in an account whose quota leaves another 10 unreserved: a new account has a quota of 10 and allows no reservation."
  default     = null
  nullable    = true

  validation {
    condition     = coalesce(var.reserved_concurrency, 0) >= 0 && coalesce(var.reserved_concurrency, 0) <= 10000 && floor(coalesce(var.reserved_concurrency, 0)) == coalesce(var.reserved_concurrency, 0)
    error_message = "reserved_concurrency must be a whole number from 0 to 10000."
  }
}

variable "stun_servers" {
  type        = list(string)
  description = "STUN servers, as host:port, that the function asks for its public endpoint, in order."
  default     = ["stun.l.google.com:19302", "stun.cloudflare.com:3478"]
  nullable    = false

  validation {
    condition     = length(var.stun_servers) > 0 && alltrue([for server in var.stun_servers : can(regex("^(stun:)?[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?$", server)) && tonumber(try(regex(":([0-9]+)$", server)[0], 1)) <= 65535])
    error_message = "stun_servers must hold at least one server, each as host or host:port, such as stun.example.net:3478."
  }
}

variable "turn_servers" {
  type        = list(string)
  description = "TURN servers that lend the function an address where no direct path is found, for clients that name none: turn:host:port or turns:host:port?transport=tcp. Needs turn_auth."
  default     = []
  nullable    = false

  validation {
    condition     = length(var.turn_servers) <= 4 && alltrue([for server in var.turn_servers : can(regex("^(turn:[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?([?]transport=(udp|tcp))?|turns:[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?([?]transport=tcp)?)$", server))])
    error_message = "turn_servers must be at most four URIs, such as turn:turn.example.net:3478 or turns:turn.example.net:443?transport=tcp."
  }
}

variable "turn_auth" {
  type        = string
  description = "What the TURN servers want to see: user:password, or secret= and what is shared with them. It stands in the function's environment, where whoever may read the function's configuration sees it."
  default     = null
  sensitive   = true
  nullable    = true
}

variable "address_service" {
  type        = string
  description = "Web service that gives the function its public IPv4 address when no STUN server answers: an https URL that answers with the address alone, or none to have such sessions fail."
  default     = "https://checkip.amazonaws.com"
  nullable    = false

  validation {
    condition     = var.address_service == "none" || can(regex("^https://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?(/[!-~]*)?$", var.address_service))
    error_message = "address_service must be an https URL, such as https://checkip.amazonaws.com, or none."
  }
}

variable "allow_private" {
  type        = bool
  description = "Whether clients may reach private, loopback and link-local addresses from the function. Dangerous: these lead into the function's own environment, and into your network if it is attached to one."
  default     = false
  nullable    = false
}

variable "client_may_invoke" {
  type        = bool
  description = "Whether the client policy allows lambda:InvokeFunction on the function, so that a client can start it itself when the event from the bucket is late."
  default     = true
  nullable    = false
}

variable "log_level" {
  type        = string
  description = "Least severe level that the function logs: TRACE, DEBUG, INFO, WARN, ERROR. DEBUG and below may name the targets that people visit."
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level must be one of TRACE, DEBUG, INFO, WARN, ERROR."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days that log records are kept; one of the periods that CloudWatch Logs offers. 0 keeps them for ever."
  default     = 14
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "tracing_mode" {
  type        = string
  description = "X-Ray tracing of the function: PassThrough, or Active, which records a trace for each session."
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["PassThrough", "Active"], var.tracing_mode)
    error_message = "tracing_mode must be one of PassThrough, Active."
  }
}

variable "function_zip" {
  type        = string
  description = "Path of the function's bundle. null: function.zip in the module's folder, or function-arm64.zip with that architecture."
  default     = null
  nullable    = true
}

variable "function_release" {
  type        = object({ url = string, sha256 = string })
  description = "The bundle of a release instead of a file: the https URL of its function.zip, and the checksum from its SHA256SUMS. Terraform downloads it with curl (on Linux or macOS) when the function's code changes."
  default     = null
  nullable    = true

  validation {
    condition     = can(regex("^https://", coalesce(try(var.function_release.url, null), "https://-"))) && can(regex("^[0-9A-Fa-f]{64}$", coalesce(try(var.function_release.sha256, null), "0000000000000000000000000000000000000000000000000000000000000000")))
    error_message = "function_release must have an https URL and a SHA-256 checksum of 64 hexadecimal digits."
  }
}

variable "function_s3" {
  type        = map(object({ bucket = string, key = string, version = optional(string), sha256 = optional(string) }))
  description = "The bundle as S3 objects instead of a file, by region, because Lambda reads code only from a bucket in its own region. version is the object version; sha256 the base64 digest. A change of either deploys the function again."
  default     = {}
  nullable    = false
}

variable "runtime" {
  type        = string
  description = "Node.js runtime of the function, nodejs22.x or later."
  default     = "nodejs24.x"
  nullable    = false

  validation {
    condition     = can(regex("^nodejs(2[2-9]|[3-9][0-9])\\.x$", var.runtime))
    error_message = "runtime must be a Node.js runtime of Lambda, nodejs22.x or later."
  }
}

variable "architecture" {
  type        = string
  description = "Processor of the function: x86_64 or arm64. The bundle must be of the same: function.zip or function-arm64.zip of a build. arm64 costs a fifth less."
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be one of x86_64, arm64."
  }
}

variable "existing_role" {
  type        = object({ arn = string })
  description = "Your own role for the function, instead of one that the module makes. It is an object so that a role made in the same apply works. Lambda must be able to assume it, and it needs the permissions in the output function_policy_json before the first session."
  default     = null
  nullable    = true

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam:[a-z0-9-]*:([0-9]{12}|aws):role/", coalesce(try(var.existing_role.arn, null), "arn:aws:iam::123456789012:role/x")))
    error_message = "existing_role must be the ARN of a role, such as arn:aws:iam::123456789012:role/x."
  }
}

variable "role_path" {
  type        = string
  description = "IAM path of the roles and the policy that the module makes."
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]+/)?$", var.role_path))
    error_message = "role_path must begin and end with a slash, such as /proxies/."
  }
}

variable "role_permissions_boundary" {
  type        = string
  description = "ARN of the managed policy that is the permissions boundary of the roles that the module makes."
  default     = null
  nullable    = true

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam:[a-z0-9-]*:([0-9]{12}|aws):policy/", coalesce(var.role_permissions_boundary, "arn:aws:iam::123456789012:policy/x")))
    error_message = "role_permissions_boundary must be the ARN of a policy, such as arn:aws:iam::123456789012:policy/x."
  }
}

variable "kms_key_arn" {
  type        = map(string)
  description = "KMS key by region for the bucket's objects, the log group and the function's environment, instead of AWS's own keys. The key policy must let CloudWatch Logs use the key; the policies of the module allow it to the function and the clients."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for region, arn in var.kms_key_arn : can(regex("^arn:[a-z-]+:kms:", arn)) && strcontains(arn, ":${region}:")])
    error_message = "kms_key_arn must be ARNs by the region that each is in, such as { eu-central-1 = \"arn:aws:kms:eu-central-1:123456789012:key/…\" }."
  }
}

variable "vpc_config" {
  type        = map(object({ subnet_ids = list(string), security_group_ids = list(string), ipv6_allowed_for_dual_stack = optional(bool, false) }))
  description = "Subnets and security groups to attach the function to, by region. The subnets need outbound UDP to the internet. A NAT gateway maps each destination separately, so that only clients behind an easy NAT connect through one."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for vpc in values(var.vpc_config) : length(vpc.subnet_ids) > 0 && length(vpc.security_group_ids) > 0])
    error_message = "vpc_config must have at least one subnet and one security group for each region."
  }
}

variable "code_signing_config_arn" {
  type        = map(string)
  description = "Code signing configuration by region. The bundle must then be signed by a publisher that the configuration allows."
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for region, arn in var.code_signing_config_arn : can(regex("^arn:[a-z-]+:lambda:", arn)) && strcontains(arn, ":${region}:")])
    error_message = "code_signing_config_arn must be ARNs by the region that each is in, such as { eu-central-1 = \"arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-…\" }."
  }
}

variable "budget" {
  type        = object({ limit_usd = number, emails = list(string), roles = optional(list(string), []), groups = optional(list(string), []), users = optional(list(string), []) })
  description = "Monthly budget in US dollars for the Lambda, S3, CloudWatch and data transfer of the account. It mails the addresses at 80 % and when 100 % is forecast. At 100 % it attaches a policy to the named IAM roles, groups and users that denies new sessions, until somebody reverses the action in AWS Budgets. AWS updates costs a few times a day: this is a brake, not a hard cap."
  default     = null
  nullable    = true

  validation {
    condition     = try(var.budget.limit_usd, 1) > 0 && length(try(var.budget.emails, ["-"])) > 0 && length(try(var.budget.emails, [])) <= 10
    error_message = "budget must have a limit above 0 and one to ten emails."
  }
}

variable "tags" {
  type        = map(string)
  description = "Further tags for every resource that takes tags."
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 45 && alltrue([for key in keys(var.tags) : !can(regex("^(aws|lambda-nat-proxy):", key))])
    error_message = "tags must be 45 at most, and none may begin with aws: or lambda-nat-proxy:."
  }
}
