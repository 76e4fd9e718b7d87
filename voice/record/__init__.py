"""Recording a volunteer who reads sentences, guided by voice alone: consent, prompts, takes that can be used."""
