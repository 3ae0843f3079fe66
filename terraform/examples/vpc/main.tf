# The function leaves through a VPC of yours, and so with an address that you own. A NAT gateway maps each destination
# anew: clients behind a symmetric NAT do not connect.

terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "function_zip" {
  type        = string
  description = "Path of the bundle, as bun run build writes it."
}

resource "aws_vpc" "proxy" {
  cidr_block = "10.0.0.0/24"
  tags       = { Name = "proxy" }
}

# The VPC's own group lets nothing through.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.proxy.id
}

resource "aws_internet_gateway" "proxy" {
  vpc_id = aws_vpc.proxy.id
}

resource "aws_subnet" "public" {
  vpc_id     = aws_vpc.proxy.id
  cidr_block = "10.0.0.0/28"
}

resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.proxy.id
  cidr_block = "10.0.0.128/25"
}

resource "aws_eip" "proxy" {
  domain = "vpc"
}

resource "aws_nat_gateway" "proxy" {
  allocation_id = aws_eip.proxy.id
  subnet_id     = aws_subnet.public.id
  depends_on    = [aws_internet_gateway.proxy]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.proxy.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.proxy.id
  }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.proxy.id

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.proxy.id
  }
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  subnet_id      = aws_subnet.private.id
  route_table_id = aws_route_table.private.id
}

# Offers and answers go to S3 without the NAT gateway.
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.proxy.id
  service_name    = "com.amazonaws.eu-central-1.s3"
  route_table_ids = [aws_route_table.private.id]
}

# A proxy's exit goes wherever its users send it; nothing comes in but answers.
resource "aws_security_group" "exit" {
  name        = "proxy-exit"
  description = "Exit of lambda-nat-proxy: out to anywhere."
  vpc_id      = aws_vpc.proxy.id
}

resource "aws_vpc_security_group_egress_rule" "anywhere" {
  security_group_id = aws_security_group.exit.id
  description       = "Targets of the proxy's users, STUN servers and peers."
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

module "proxy" {
  source = "../.."

  function_zip = var.function_zip
  vpc_config = {
    eu-central-1 = {
      subnet_ids         = [aws_subnet.private.id]
      security_group_ids = [aws_security_group.exit.id]
    }
  }
}

output "address" {
  description = "Where the proxy's users come from, as targets see them."
  value       = aws_eip.proxy.public_ip
}
