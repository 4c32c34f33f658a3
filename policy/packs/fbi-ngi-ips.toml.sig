ed25519 fc303db787541dde ZAvyRep9q46ZTy6/Z38IrpwfIZJqBZtH3cUmuuivN9lqJyCOh4rjuWaBKjb/y+aqUWfieqS1/+S/FuBVS+nHAQ==
