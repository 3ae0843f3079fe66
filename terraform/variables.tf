# Written by `bun run synth` from cdktf/. Edit there.

variable "name" {
  type        = string
  description = "Name of the stack: the function, the role, the log group and the buckets are named from it."
  default     = "lambda-nat-proxy"
  nullable    = false

  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 38 && can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name))
    error_message = "name must have 3 to 38 characters: lower-case letters, digits and single dashes, a letter first, no dash last."
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

variable "reserved_concurrency" {
  type        = number
  description = "Sessions that may run at once in each region: a cap on cost, taken from the account's concurrency. 0 stops all; null sets no cap."
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

variable "allow_private" {
  type        = bool
  description = "Whether clients may reach private, loopback and link-local addresses from the function. Dangerous: these lead into the function's own environment, and into your network if it is attached to one."
  default     = false
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

variable "function_zip" {
  type        = string
  description = "Path of the function's bundle. Null: function.zip beside the module."
  default     = null
  nullable    = true
}

variable "function_s3" {
  type        = map(object({ bucket = string, key = string, version = optional(string), sha256 = optional(string) }))
  description = "The bundle as S3 objects in place of a file, by region, since Lambda reads code only from a bucket in its own region. version is the object version; sha256 the base64 digest. A change of either deploys anew."
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
